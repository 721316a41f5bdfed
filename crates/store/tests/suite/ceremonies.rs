//! Ceremonies, and the key that signs: what several nodes must see in the same way.

use std::task::Poll;

use mngntime_model::UtcMillis;
use mngntime_store::{CEREMONIES_MAX, CeremonyKind, NewCeremony, Store};

use crate::fixture::NOW;

const LIFE_MS: i64 = 300_000;

fn begun(name: &str, kind: CeremonyKind, at: UtcMillis) -> NewCeremony {
    let state = format!("state of {name}").into_bytes();
    NewCeremony { name: name.to_owned(), kind, state, begun_at: at, ends_at: at.plus(LIFE_MS) }
}

pub async fn a_ceremony_is_taken_once_by_its_kind_and_in_its_time(store: &dyn Store) {
    use CeremonyKind::{PasskeyAdded, PasskeySignIn, Provider};
    let take = async |kind, name: &str, now| store.take_ceremony(kind, name.to_owned(), now).await.unwrap();
    for kind in [PasskeyAdded, PasskeySignIn, Provider] {
        store.begin_ceremony(begun(kind.name(), kind, NOW)).await.unwrap();
    }
    assert_eq!(take(Provider, "nothing", NOW).await, None);
    assert_eq!(take(Provider, "passkey_added", NOW).await, None, "another ceremony's name opens nothing");
    let last = NOW.plus(LIFE_MS - 1);
    assert_eq!(take(PasskeyAdded, "passkey_added", last).await.unwrap(), b"state of passkey_added");
    assert_eq!(take(PasskeyAdded, "passkey_added", NOW).await, None, "it counts once");
    assert_eq!(take(Provider, "provider", NOW.plus(LIFE_MS)).await, None, "too late");
    assert_eq!(take(Provider, "provider", NOW).await, None, "trying late has used it up");
    // What ended goes when the next one begins.
    store.begin_ceremony(begun("next", Provider, NOW.plus(LIFE_MS))).await.unwrap();
    assert_eq!(take(PasskeySignIn, "passkey_sign_in", NOW).await, None);
    assert!(take(Provider, "next", NOW.plus(LIFE_MS)).await.is_some());
}

pub async fn of_too_many_ceremonies_the_oldest_of_their_kind_go(store: &dyn Store) {
    use CeremonyKind::{PasskeySignIn, Provider};
    store.begin_ceremony(begun("other", Provider, NOW)).await.unwrap();
    let over = i64::from(CEREMONIES_MAX) + 5;
    let mut all: Vec<_> = (0..over)
        .map(|n| store.begin_ceremony(begun(&format!("n{n}"), PasskeySignIn, NOW.plus(n))))
        .collect();
    // Many at a time share a commit, in the order in which they came.
    for some in all.chunks_mut(500) {
        let mut left: Vec<_> = some.iter_mut().collect();
        std::future::poll_fn(|cx| {
            left.retain_mut(|begun| begun.as_mut().poll(cx).map(Result::unwrap).is_pending());
            if left.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
    let there = async |kind, name: &str| {
        store.take_ceremony(kind, name.to_owned(), NOW.plus(over)).await.unwrap().is_some()
    };
    assert!(!there(PasskeySignIn, "n0").await && !there(PasskeySignIn, "n4").await);
    assert!(there(PasskeySignIn, "n5").await && there(PasskeySignIn, &format!("n{}", over - 1)).await);
    assert!(there(Provider, "other").await, "those of another kind stay");
}

pub async fn the_key_that_signs_is_remembered_once(store: &dyn Store) {
    assert_eq!(store.signing_key().await.unwrap(), None);
    assert_eq!(store.remember_signing_key("first".to_owned(), NOW).await.unwrap(), "first");
    let second = store.remember_signing_key("second".to_owned(), NOW.plus(1)).await.unwrap();
    assert_eq!(second, "first", "who comes later hears whose it is");
    assert_eq!(store.signing_key().await.unwrap().as_deref(), Some("first"));
}
