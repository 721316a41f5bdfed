//! Lists in pages: each page lies beside a row of the page that was looked at, so that it is found by an index at any
//! depth, in either direction.

use std::fmt;

/// Where a page of a list lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside<K> {
    /// Right behind this row.
    After(K),
    /// Right before this row.
    Before(K),
}

impl<K> Beside<K> {
    /// The row.
    #[must_use]
    pub fn key(&self) -> &K {
        match self {
            Self::After(key) | Self::Before(key) => key,
        }
    }
}

/// As an address says it: `after=KEY`, `before=KEY`.
impl<K: fmt::Display> fmt::Display for Beside<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(key) => write!(f, "after={key}"),
            Self::Before(key) => write!(f, "before={key}"),
        }
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, K> {
    /// Its rows, in the order of the list.
    pub rows: Vec<T>,
    /// The row before which the previous page lies; absent when this one begins the list.
    pub previous: Option<K>,
    /// The row behind which the next page lies; absent when this one ends the list.
    pub next: Option<K>,
}

impl<T, K> Page<T, K> {
    /// A page without rows.
    #[must_use]
    pub fn empty() -> Self {
        Self { rows: Vec::new(), previous: None, next: None }
    }

    /// Where the page behind this one lies.
    #[must_use]
    pub fn further(&self) -> Option<Beside<K>>
    where
        K: Clone,
    {
        self.next.clone().map(Beside::After)
    }

    /// The same page with what `change` makes of its rows.
    ///
    /// # Errors
    /// The first of `change`.
    pub fn try_map<U, E>(self, change: impl FnMut(T) -> Result<U, E>) -> Result<Page<U, K>, E> {
        let Self { rows, previous, next } = self;
        Ok(Page { rows: rows.into_iter().map(change).collect::<Result<_, E>>()?, previous, next })
    }
}
