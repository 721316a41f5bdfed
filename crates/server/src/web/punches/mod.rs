//! 打刻ログ: the list, one punch, one event of another kind, and the CSV file.

pub mod cause;
pub mod columns;
pub mod csv;
pub mod detail;
pub mod event;
pub mod excel;
pub mod filter;
mod history;
pub mod list;
pub mod newer;
pub mod period;
pub mod print;
pub mod receipt;
pub mod row;
pub mod searches;
pub mod strip;
