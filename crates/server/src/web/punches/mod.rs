//! 打刻ログ: the list, one punch, and the CSV file.

pub mod csv;
pub mod detail;
pub mod filter;
pub mod list;
pub mod row;
pub mod strip;
