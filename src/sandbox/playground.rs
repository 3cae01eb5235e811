//! The playground: the bot without Discord, in a terminal. Written below once the bot stands.
