# paste
