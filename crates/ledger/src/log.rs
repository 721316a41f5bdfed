//! The server's append-only log: a Merkle tree as in RFC 6962, section 2.1.
//!
//! One tree holds the events of one contract that arrived in one month. The tree's hashes are kept in the
//! dense order of Crosby and Wallach ("Efficient Data Structures for Tamper-Evident Logging", 3.3), so that
//! appending a leaf writes two hashes on average, and root and proofs read a logarithm of the tree's size. The
//! mathematics is `tlog_tiles`', which is Go's checksum database in Rust; here it only gets our types and
//! bounds, so that no hostile number reaches an assertion of that crate.

use std::cell::RefCell;
use std::collections::BTreeMap;

use tlog_tiles::tlog;

use crate::Digest;

/// Leaves of one tree: far more than a contract can have in a month, and small enough for all arithmetic.
pub const LEAVES_MAX: u64 = 1 << 40;

/// Hashes of an audit path or of a consistency proof: one for each level, and one more.
pub const PROOF_HASHES_MAX: usize = 42;

/// Why a tree says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// A size or an index beyond the tree, or beyond [`LEAVES_MAX`].
    #[error("the log has no leaf {index} at size {size}")]
    OutOfRange {
        /// The index.
        index: u64,
        /// The size.
        size: u64,
    },
    /// The proof does not lead from what is claimed to the root.
    #[error("the proof does not lead to the root")]
    WrongProof,
    /// The hashes kept of the tree could not be read.
    #[error("the log's hashes could not be read: {0}")]
    Unreadable(String),
}

/// The hashes of a tree, by their place in the dense order.
pub trait LogHashes {
    /// The hashes at `places`, which are ascending or not, in the same order.
    ///
    /// # Errors
    /// A text for the operator when one of them cannot be read.
    fn read(&self, places: &[u64]) -> Result<Vec<Digest>, String>;
}

/// A tree in memory: the verifier's, and what the server has computed and not yet written.
impl LogHashes for BTreeMap<u64, Digest> {
    fn read(&self, places: &[u64]) -> Result<Vec<Digest>, String> {
        let one = |place: &u64| self.get(place).copied().ok_or_else(|| format!("hash {place} is missing"));
        places.iter().map(one).collect()
    }
}

/// The hash of a leaf: SHA-256 over a zero byte and the leaf's bytes.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    ours(tlog::record_hash(leaf))
}

/// The hash of two parts of a tree, the left one and the right one: SHA-256 over a byte 1 and both.
#[must_use]
pub fn node_hash(left: Digest, right: Digest) -> Digest {
    ours(tlog::node_hash(theirs(left), theirs(right)))
}

/// Hashes that a tree of `size` leaves has in the dense order.
///
/// # Errors
/// [`LogError::OutOfRange`].
pub fn hash_count(size: u64) -> Result<u64, LogError> {
    within(size, size)?;
    Ok(tlog::stored_hash_count(size))
}

/// The root of the tree of `size` leaves.
///
/// # Errors
/// [`LogError`].
pub fn root(size: u64, hashes: &dyn LogHashes) -> Result<Digest, LogError> {
    within(size, size)?;
    let reader = Reader::new(hashes);
    let root = tlog::tree_hash(size, &reader);
    root.map(ours).map_err(|error| reader.failed(&error))
}

/// The audit path of leaf `index` in the tree of `size` leaves, from the leaf to the root.
///
/// # Errors
/// [`LogError`].
pub fn prove_inclusion(size: u64, index: u64, hashes: &dyn LogHashes) -> Result<Vec<Digest>, LogError> {
    contains(size, index)?;
    let reader = Reader::new(hashes);
    let path = tlog::prove_record(size, index, &reader);
    path.map(all_ours).map_err(|error| reader.failed(&error))
}

/// Checks that the tree of `size` leaves with this root has `leaf` at `index`.
///
/// # Errors
/// [`LogError::OutOfRange`], [`LogError::WrongProof`].
pub fn check_inclusion(
    path: &[Digest],
    size: u64,
    root: Digest,
    index: u64,
    leaf: Digest,
) -> Result<(), LogError> {
    contains(size, index)?;
    not_too_long(path)?;
    let path = all_theirs(path);
    tlog::check_record(&path, size, theirs(root), index, theirs(leaf)).map_err(|_| LogError::WrongProof)
}

/// The proof that the tree of `size` leaves begins with the tree of `old_size` leaves.
///
/// # Errors
/// [`LogError`]; an old size of 0 is out of range, since everything begins with nothing.
pub fn prove_consistency(size: u64, old_size: u64, hashes: &dyn LogHashes) -> Result<Vec<Digest>, LogError> {
    begins_with(size, old_size)?;
    let reader = Reader::new(hashes);
    let proof = tlog::prove_tree(size, old_size, &reader);
    proof.map(all_ours).map_err(|error| reader.failed(&error))
}

/// Checks that the tree of `size` leaves begins with the tree of `old_size` leaves.
///
/// # Errors
/// [`LogError::OutOfRange`], [`LogError::WrongProof`].
pub fn check_consistency(
    proof: &[Digest],
    (size, root): (u64, Digest),
    (old_size, old_root): (u64, Digest),
) -> Result<(), LogError> {
    begins_with(size, old_size)?;
    not_too_long(proof)?;
    tlog::check_tree(&all_theirs(proof), size, theirs(root), old_size, theirs(old_root))
        .map_err(|_| LogError::WrongProof)
}

/// A tree that grows: hashes that are kept elsewhere, and those of the leaves that came since.
pub struct Growing<'a> {
    kept: &'a dyn LogHashes,
    kept_hashes: u64,
    size: u64,
    new: BTreeMap<u64, Digest>,
}

impl std::fmt::Debug for Growing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Growing").field("size", &self.size).field("new", &self.new.len()).finish()
    }
}

impl<'a> Growing<'a> {
    /// A tree of `size` leaves, whose hashes are `kept`.
    ///
    /// # Errors
    /// [`LogError::OutOfRange`].
    pub fn after(size: u64, kept: &'a dyn LogHashes) -> Result<Self, LogError> {
        Ok(Self { kept, kept_hashes: hash_count(size)?, size, new: BTreeMap::new() })
    }

    /// Leaves so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash ([`leaf_hash`]).
    ///
    /// # Errors
    /// [`LogError`].
    pub fn append(&mut self, leaf: Digest) -> Result<(), LogError> {
        contains(LEAVES_MAX, self.size)?;
        let reader = Reader::new(&*self);
        let hashes = tlog::stored_hashes_for_record_hash(self.size, theirs(leaf), &reader)
            .map_err(|error| reader.failed(&error))?;
        let first = tlog::stored_hash_index(0, self.size);
        self.new.extend((first..).zip(hashes.into_iter().map(ours)));
        self.size += 1;
        Ok(())
    }

    /// The root now.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn root(&self) -> Result<Digest, LogError> {
        root(self.size, self)
    }

    /// The hashes that are not kept yet, with their places.
    #[must_use]
    pub fn into_new(self) -> BTreeMap<u64, Digest> {
        self.new
    }
}

impl LogHashes for Growing<'_> {
    fn read(&self, places: &[u64]) -> Result<Vec<Digest>, String> {
        let (kept, new): (Vec<u64>, Vec<u64>) = places.iter().partition(|place| **place < self.kept_hashes);
        let (mut kept, mut new) = (self.kept.read(&kept)?.into_iter(), self.new.read(&new)?.into_iter());
        let next = |place: &u64| if *place < self.kept_hashes { kept.next() } else { new.next() };
        places.iter().map(next).collect::<Option<Vec<_>>>().ok_or_else(|| "too few hashes".to_owned())
    }
}

/// A tree that is read once from its first leaf on: only the hashes of its complete subtrees are kept, one for each
/// level, whatever its size.
#[derive(Debug, Clone, Default)]
pub struct Passing {
    size: u64,
    /// Roots of the complete subtrees, the largest first.
    complete: Vec<Digest>,
}

impl Passing {
    /// Leaves so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash ([`leaf_hash`]); returns the hashes that it brings, in the dense order.
    pub fn append(&mut self, leaf: Digest) -> Vec<Digest> {
        let (mut new, mut hash, mut index) = (vec![leaf], leaf, self.size);
        while index & 1 == 1
            && let Some(left) = self.complete.pop()
        {
            hash = node_hash(left, hash);
            new.push(hash);
            index >>= 1;
        }
        self.complete.push(hash);
        self.size += 1;
        new
    }

    /// The root now.
    #[must_use]
    pub fn root(&self) -> Digest {
        let node = |right: Digest, left: Digest| node_hash(left, right);
        self.complete.iter().rev().copied().reduce(node).unwrap_or_else(|| Digest::of(b""))
    }
}

/// Gives our hashes to the crate, and keeps our own words for why they could not be read.
struct Reader<'a> {
    hashes: &'a dyn LogHashes,
    failure: RefCell<Option<String>>,
}

impl<'a> Reader<'a> {
    fn new(hashes: &'a dyn LogHashes) -> Self {
        Self { hashes, failure: RefCell::new(None) }
    }

    fn failed(&self, error: &tlog::Error) -> LogError {
        LogError::Unreadable(self.failure.take().unwrap_or_else(|| error.to_string()))
    }
}

impl tlog::HashReader for Reader<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        let read = self.hashes.read(indexes).and_then(|found| {
            let complete = found.len() == indexes.len();
            complete.then_some(found).ok_or_else(|| "too few hashes".to_owned())
        });
        read.map(|found| all_theirs(&found)).map_err(|failure| {
            self.failure.replace(Some(failure));
            tlog::Error::IndexesNotInTree
        })
    }
}

fn within(size: u64, index: u64) -> Result<(), LogError> {
    if size <= LEAVES_MAX { Ok(()) } else { Err(LogError::OutOfRange { index, size }) }
}

fn contains(size: u64, index: u64) -> Result<(), LogError> {
    within(size, index)?;
    if index < size { Ok(()) } else { Err(LogError::OutOfRange { index, size }) }
}

fn begins_with(size: u64, old_size: u64) -> Result<(), LogError> {
    within(size, old_size)?;
    let known = (1..=size).contains(&old_size);
    if known { Ok(()) } else { Err(LogError::OutOfRange { index: old_size, size }) }
}

fn not_too_long(proof: &[Digest]) -> Result<(), LogError> {
    if proof.len() <= PROOF_HASHES_MAX { Ok(()) } else { Err(LogError::WrongProof) }
}

fn ours(hash: tlog::Hash) -> Digest {
    Digest::from_bytes(hash.0)
}

fn theirs(digest: Digest) -> tlog::Hash {
    tlog::Hash(*digest.as_bytes())
}

fn all_ours(hashes: Vec<tlog::Hash>) -> Vec<Digest> {
    hashes.into_iter().map(ours).collect()
}

fn all_theirs(digests: &[Digest]) -> Vec<tlog::Hash> {
    digests.iter().copied().map(theirs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The eight leaves of the reference vectors of Certificate Transparency.
    const LEAVES: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];

    /// Their roots at sizes 1 to 8, as published with the reference implementation.
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn tree(leaves: usize) -> BTreeMap<u64, Digest> {
        let nothing = BTreeMap::new();
        let mut growing = Growing::after(0, &nothing).unwrap();
        (0..leaves).for_each(|n| growing.append(leaf(n)).unwrap());
        growing.into_new()
    }

    fn leaf(n: usize) -> Digest {
        leaf_hash(&LEAVES.get(n).map_or_else(|| n.to_be_bytes().to_vec(), |bytes| bytes.to_vec()))
    }

    #[test]
    fn the_roots_are_those_of_the_reference_vectors() {
        let hashes = tree(8);
        for (n, expected) in (1..).zip(ROOTS) {
            assert_eq!(root(n, &hashes).unwrap().to_string(), expected, "size {n}");
        }
        assert_eq!(root(0, &hashes).unwrap(), Digest::of(b""));
    }

    #[test]
    fn a_tree_that_is_read_once_has_the_same_roots_and_hashes() {
        let (hashes, mut passing, mut all) = (tree(33), Passing::default(), Vec::new());
        assert_eq!(passing.root(), root(0, &hashes).unwrap());
        for n in 0..33 {
            all.extend(passing.append(leaf(n)));
            assert_eq!(passing.root(), root(passing.size(), &hashes).unwrap(), "size {}", passing.size());
            assert_eq!(all.len() as u64, hash_count(passing.size()).unwrap());
        }
        assert_eq!(all, hashes.into_values().collect::<Vec<_>>());
    }

    #[test]
    fn every_leaf_of_every_size_is_proven_and_no_other_is() {
        let hashes = tree(33);
        for size in 1..=33_u64 {
            let root = root(size, &hashes).unwrap();
            for index in 0..size {
                let path = prove_inclusion(size, index, &hashes).unwrap();
                let check = |path: &[Digest], leaf| check_inclusion(path, size, root, index, leaf);
                let own = leaf(usize::try_from(index).unwrap());
                assert_eq!(check(&path, own), Ok(()), "{index} of {size}");
                assert_eq!(check(&path, leaf(99)), Err(LogError::WrongProof));
                for wrong in 0..path.len() {
                    let mut touched = path.clone();
                    touched[wrong] = leaf(98);
                    assert_eq!(check(&touched, own), Err(LogError::WrongProof));
                }
                let longer = [&path[..], &[leaf(97)]].concat();
                assert_eq!(check(&longer, own), Err(LogError::WrongProof));
            }
        }
    }

    #[test]
    fn a_tree_begins_with_each_smaller_one_and_with_nothing_else() {
        let hashes = tree(33);
        let at = |size| (size, root(size, &hashes).unwrap());
        for size in 1..=33 {
            for old in 1..=size {
                let proof = prove_consistency(size, old, &hashes).unwrap();
                assert_eq!(check_consistency(&proof, at(size), at(old)), Ok(()), "{old} of {size}");
                let another = (old, leaf(99));
                assert_eq!(check_consistency(&proof, at(size), another), Err(LogError::WrongProof));
            }
        }
    }

    #[test]
    fn a_tree_grown_in_pieces_is_the_tree_grown_at_once() {
        for first in 0..20 {
            let mut kept = tree(first);
            let mut growing = Growing::after(first as u64, &kept).unwrap();
            (first..20).for_each(|n| growing.append(leaf(n)).unwrap());
            assert_eq!(growing.size(), 20);
            let (grown, new) = (growing.root().unwrap(), growing.into_new());
            kept.extend(new);
            assert_eq!((grown, &kept), (root(20, &tree(20)).unwrap(), &tree(20)), "from {first}");
        }
    }

    #[test]
    fn numbers_beyond_the_tree_and_missing_hashes_are_errors() {
        let hashes = tree(4);
        assert!(matches!(root(LEAVES_MAX + 1, &hashes), Err(LogError::OutOfRange { .. })));
        assert!(matches!(prove_inclusion(4, 4, &hashes), Err(LogError::OutOfRange { .. })));
        assert!(matches!(prove_consistency(4, 0, &hashes), Err(LogError::OutOfRange { .. })));
        assert!(matches!(prove_consistency(4, 5, &hashes), Err(LogError::OutOfRange { .. })));
        assert_eq!(root(8, &hashes), Err(LogError::Unreadable("hash 14 is missing".into())));
        let endless = vec![leaf(0); PROOF_HASHES_MAX + 1];
        assert_eq!(check_inclusion(&endless, 4, leaf(0), 0, leaf(0)), Err(LogError::WrongProof));
    }
}
