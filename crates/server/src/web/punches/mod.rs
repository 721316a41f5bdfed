//! 打刻ログ: the list, one punch, one event of another kind, and the CSV file.

pub mod csv;
pub mod detail;
pub mod event;
pub mod filter;
pub mod list;
pub mod row;
pub mod strip;
