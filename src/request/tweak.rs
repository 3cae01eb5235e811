//! A tweak: free text on a base, to changed `Settings`.
