//! A client for the Filestack API.
