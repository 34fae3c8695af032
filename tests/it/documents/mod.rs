//! Documents over HTTP: the list, one document, its file, renaming, the trash, and that nobody sees somebody else's.

mod archive;
mod changes;
mod delivery;
mod foreign;
mod full_trash;
mod labels;
mod list;
mod results;
mod search;
mod trash;
