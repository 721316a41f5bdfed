//! The Merkle log: sizes, places and hashes that somebody else chose.

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};
use mngntime_ledger::Digest;
use mngntime_ledger::log::{
    Growing, check_consistency, check_inclusion, leaf_hash, prove_consistency, prove_inclusion, root,
};

use crate::make;

/// Leaves of the trees that are really grown.
const LEAVES: u64 = 48;

/// First what is made up, then a true proof with at most one thing changed in it.
pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let _too_few_bytes = hostile(&mut u).and_then(|()| inclusion(&mut u)).and_then(|()| consistency(&mut u));
}

fn digest(u: &mut Unstructured<'_>) -> Result<Digest> {
    Ok(leaf_hash(&[u.arbitrary()?]))
}

fn hostile(u: &mut Unstructured<'_>) -> Result<()> {
    let mut path = Vec::new();
    for _ in 0..u.int_in_range(0..=45)? {
        path.push(digest(u)?);
    }
    let (size, other) = (make::number(u)?, make::number(u)?);
    let (one, two) = (digest(u)?, digest(u)?);
    let _refused = check_inclusion(&path, size, one, other, two);
    let _refused_too = check_consistency(&path, (size, one), (other, two));
    let mut hashes = BTreeMap::new();
    for _ in 0..u.int_in_range(0..=8)? {
        hashes.insert(make::number(u)?, digest(u)?);
    }
    let _unreadable = root(size, &hashes);
    let _without_a_path = prove_inclusion(size, other, &hashes);
    let _without_a_proof = prove_consistency(size, other, &hashes);
    if let Ok(mut growing) = Growing::after(size, &hashes) {
        let _may_fail = growing.append(one).and_then(|()| growing.root());
    }
    Ok(())
}

fn leaf(n: u64) -> Digest {
    leaf_hash(&n.to_be_bytes())
}

fn tree(size: u64) -> BTreeMap<u64, Digest> {
    let nothing = BTreeMap::new();
    let mut growing = Growing::after(0, &nothing).expect("empty");
    (0..size).for_each(|n| growing.append(leaf(n)).expect("in memory"));
    growing.into_new()
}

/// Another proof by one hash more, less or changed; whether it is another.
fn touch(u: &mut Unstructured<'_>, proof: &mut Vec<Digest>) -> Result<bool> {
    let before = proof.clone();
    match u.int_in_range(0..=4)? {
        0 => proof.push(digest(u)?),
        1 => drop(proof.pop()),
        2 => {
            if let Some(place) = u.choose_index(proof.len().max(1)).ok().filter(|at| *at < proof.len()) {
                proof[place] = digest(u)?;
            }
        }
        3 => proof.reverse(),
        _ => {}
    }
    Ok(*proof != before)
}

fn inclusion(u: &mut Unstructured<'_>) -> Result<()> {
    let size = u.int_in_range(1..=LEAVES)?;
    let index = u.int_in_range(0..=size - 1)?;
    let hashes = tree(size);
    let mut path = prove_inclusion(size, index, &hashes).expect("all hashes are there");
    let changed = touch(u, &mut path)?;
    let (other_size, other_index, other_leaf) = if u.arbitrary()? {
        (make::number(u)?, make::number(u)?, u.arbitrary::<u8>()?.into())
    } else {
        (size, index, index)
    };
    let proven = check_inclusion(
        &path,
        other_size,
        root(size, &hashes).expect("it is there"),
        other_index,
        leaf(other_leaf),
    );
    // The root says everything but the size: a path can be of another size whose shape it shares.
    if proven.is_ok() {
        assert!(!changed && other_leaf == index, "a changed path proves nothing");
    }
    if !changed && (other_size, other_index, other_leaf) == (size, index, index) {
        assert_eq!(proven, Ok(()));
    }
    Ok(())
}

fn consistency(u: &mut Unstructured<'_>) -> Result<()> {
    let size = u.int_in_range(1..=LEAVES)?;
    let old = u.int_in_range(1..=size)?;
    let hashes = tree(size);
    let at = |size| root(size, &hashes).expect("it is there");
    let mut proof = prove_consistency(size, old, &hashes).expect("all hashes are there");
    let changed = touch(u, &mut proof)?;
    let old_root = if u.ratio(3, 4)? { at(old) } else { digest(u)? };
    let proven = check_consistency(&proof, (size, at(size)), (old, old_root));
    assert_eq!(proven.is_ok(), !changed && old_root == at(old), "{proven:?}");
    Ok(())
}
