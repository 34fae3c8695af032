//! The emulator over real sockets.
