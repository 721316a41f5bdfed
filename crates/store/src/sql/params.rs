//! Values of a statement's parameters, in rusqlite's words.

use rusqlite::types::{ToSql, Value};

/// Values for the parameters of one statement, in their order.
pub(crate) trait Params {
    /// Lends them to `work`.
    fn with<R>(self, work: impl FnOnce(&[&dyn ToSql]) -> R) -> R;
}

/// `[]`: none.
impl Params for [&dyn ToSql; 0] {
    fn with<R>(self, work: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
        work(&[])
    }
}

/// `[value]`: one.
impl<T: ToSql> Params for [T; 1] {
    fn with<R>(self, work: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
        work(&[&self[0]])
    }
}

/// `(value, other)`: several of several types.
macro_rules! tuple {
    ($($value:ident),*) => {
        impl<$($value: ToSql),*> Params for ($($value,)*) {
            #[allow(non_snake_case, reason = "each value is called as its type")]
            fn with<R>(self, work: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
                let ($($value,)*) = &self;
                work(&[$($value),*])
            }
        }
    };
}
tuple!(A, B);
tuple!(A, B, C);
tuple!(A, B, C, D);
tuple!(A, B, C, D, E);
tuple!(A, B, C, D, E, F);

/// What `params!` makes.
impl Params for &[&dyn ToSql] {
    fn with<R>(self, work: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
        work(self)
    }
}

/// Values that were gathered one by one.
pub(crate) struct Values(Vec<Value>);

impl Params for Values {
    fn with<R>(self, work: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
        let values: Vec<&dyn ToSql> = self.0.iter().map(|value| value as &dyn ToSql).collect();
        work(&values)
    }
}

/// Values that were gathered one by one.
pub(crate) fn params_from_iter(values: impl IntoIterator<Item = Value>) -> Values {
    Values(values.into_iter().collect())
}

/// Values of several types.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$(&$value as &dyn rusqlite::types::ToSql),*] as &[&dyn rusqlite::types::ToSql]
    };
}
pub(crate) use params;
