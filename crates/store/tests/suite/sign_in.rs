//! What people sign in with: what counts once, what locks, what ends sessions, what is in the audit log.

use mngntime_store::{
    Act, AdministratorId, ContractSettings, Entrance, FAILURES_FREE, KeyHash, NewAdministrator, NewPasskey,
    NewToken, Origin, ProviderSubject, Refusal, Role, SESSION_ENDED, SecondFactor, Store, StoreError,
    WebSession,
};

use crate::fixture::{NOW, act, contract};

async fn person(store: &dyn Store, login: &str) -> AdministratorId {
    let contract = match store.contract("demo").await.unwrap() {
        Some(found) => found.id,
        None => contract(store, "demo").await,
    };
    let new = NewAdministrator::new(login, Role::HumanResources, Some(contract));
    let new = NewAdministrator { password_hash: Some("$hash".to_owned()), ..new };
    store.create_administrator(new, act()).await.unwrap()
}

async fn open(store: &dyn Store, id: &str, person: AdministratorId) {
    let session = WebSession {
        id: id.into(),
        data: vec![],
        person: Some(person),
        expires_at: NOW.plus(1_000_000),
        seen_at: None,
    };
    assert!(store.create_session(session).await.unwrap());
}

async fn open_sessions(store: &dyn Store, person: AdministratorId) -> Vec<String> {
    let found = store.sessions_of(person, NOW).await.unwrap();
    found.into_iter().map(|found| found.id).collect()
}

fn passkey(credential: &[u8]) -> NewPasskey {
    NewPasskey { credential_id: credential.to_vec(), name: "key".into(), credential: "{}".into() }
}

/// A server that takes passkeys and asks one provider.
fn entrance() -> Entrance {
    let issuer = Some("https://id.example".to_owned());
    Entrance { passkeys: true, issuer, ..Entrance::default() }
}

/// Actions in the contract's audit log, oldest first, without what made the contract and the people.
async fn actions(store: &dyn Store) -> Vec<String> {
    let contract = store.contract("demo").await.unwrap().unwrap().id;
    let log = store.audit_log(Some(contract), None, 100).await.unwrap();
    let made = ["create_contract", "create_administrator"];
    log.into_iter().rev().map(|entry| entry.action).filter(|word| !made.contains(&word.as_str())).collect()
}

/// Details of that action, oldest first.
async fn details(store: &dyn Store, action: &str) -> Vec<String> {
    let contract = store.contract("demo").await.unwrap().unwrap().id;
    let log = store.audit_log(Some(contract), None, 100).await.unwrap();
    log.into_iter().rev().filter(|entry| entry.action == action).map(|entry| entry.detail).collect()
}

pub async fn a_one_time_code_counts_once_and_never_backwards(store: &dyn Store) {
    let hanako = person(store, "hanako").await;
    open(store, "here", hanako).await;
    open(store, "elsewhere", hanako).await;
    assert!(!store.use_totp_step(hanako, 7).await.unwrap(), "nothing is set up");
    store.set_totp(hanako, vec![1], 7, Some("here".into()), act()).await.unwrap();
    assert_eq!(open_sessions(store, hanako).await, ["here"]);
    assert!(!store.use_totp_step(hanako, 7).await.unwrap(), "the code that confirmed it");
    assert!(store.use_totp_step(hanako, 9).await.unwrap());
    for used in [9, 8] {
        assert!(!store.use_totp_step(hanako, used).await.unwrap(), "{used}");
    }
    assert_eq!(store.means(hanako).await.unwrap().totp.unwrap().sealed, [1]);
    store.remove_totp(hanako, entrance(), act()).await.unwrap();
    store.remove_totp(hanako, entrance(), act()).await.unwrap();
    assert!(!store.use_totp_step(hanako, 10).await.unwrap());
    assert_eq!(actions(store).await, ["set_up_totp", "remove_totp"]);
}

pub async fn a_recovery_code_counts_once_for_its_owner_and_not_after_new_ones(store: &dyn Store) {
    let (hanako, taro) = (person(store, "hanako").await, person(store, "taro").await);
    let hashes = || ["a", "b"].map(KeyHash::of).to_vec();
    store.set_recovery_codes(hanako, hashes(), act()).await.unwrap();
    assert!(!store.use_recovery_code(taro, KeyHash::of("a"), act()).await.unwrap());
    assert!(store.use_recovery_code(hanako, KeyHash::of("a"), act()).await.unwrap());
    assert!(!store.use_recovery_code(hanako, KeyHash::of("a"), act()).await.unwrap());
    assert_eq!(store.means(hanako).await.unwrap().recovery_codes, 1);
    store.set_recovery_codes(hanako, vec![KeyHash::of("c")], act()).await.unwrap();
    assert!(!store.use_recovery_code(hanako, KeyHash::of("b"), act()).await.unwrap());
    assert_eq!(actions(store).await, ["make_recovery_codes", "use_recovery_code", "make_recovery_codes"]);
}

pub async fn passkeys_belong_to_one_person_and_a_reset_takes_everything(store: &dyn Store) {
    let (hanako, taro) = (person(store, "hanako").await, person(store, "taro").await);
    let id = store.add_passkey(hanako, passkey(b"k"), None, act()).await.unwrap();
    let taken = store.add_passkey(taro, passkey(b"k"), None, act()).await;
    assert!(matches!(taken, Err(StoreError::Refused(Refusal::Taken { what: "passkey", .. }))), "{taken:?}");
    store.note_passkey_use(b"k".to_vec(), "{1}".into(), NOW.plus(5)).await.unwrap();
    let kept = store.means(hanako).await.unwrap().passkeys.remove(0);
    assert_eq!((kept.data.credential.as_str(), kept.used_at), ("{1}", Some(NOW.plus(5))));
    for (owner, right) in [(taro, false), (hanako, true)] {
        let renamed = store.rename_passkey(owner, id, "仕事用".into(), act()).await;
        assert_eq!(renamed.is_ok(), right, "{renamed:?}");
    }
    assert_eq!(store.means(hanako).await.unwrap().passkeys[0].data.name, "仕事用");
    store.rename_passkey(hanako, id, "仕事用".into(), act()).await.unwrap();
    let noted = actions(store).await.iter().filter(|action| *action == "rename_passkey").count();
    assert_eq!(noted, 1, "what changes nothing is not noted");
    let missing = store.remove_passkey(taro, id, entrance(), act()).await;
    assert!(matches!(missing, Err(StoreError::Refused(Refusal::Missing { what: "passkey" }))), "{missing:?}");
    store.remove_passkey(hanako, id, entrance(), act()).await.unwrap();

    store.add_passkey(hanako, passkey(b"l"), None, act()).await.unwrap();
    store.set_totp(hanako, vec![1], 7, None, act()).await.unwrap();
    store.set_recovery_codes(hanako, vec![KeyHash::of("c")], act()).await.unwrap();
    let subject = ProviderSubject { issuer: "https://id.example".into(), subject: "s".into() };
    store.link_subject(hanako, subject.clone(), act()).await.unwrap();
    let token = NewToken { name: "t".into(), hash: KeyHash::of("t"), expires_at: NOW.plus(10) };
    store.add_token(hanako, token, act()).await.unwrap();
    open(store, "s", hanako).await;
    let elsewhere = store.reset_means(None, hanako, act()).await;
    assert!(matches!(elsewhere, Err(StoreError::Refused(Refusal::Missing { .. }))), "not of the operators");
    let demo = store.contract("demo").await.unwrap().unwrap().id;
    store.reset_means(Some(demo), hanako, act()).await.unwrap();
    assert_eq!(store.means(hanako).await.unwrap(), Default::default());
    assert_eq!(store.person_of_subject(subject).await.unwrap(), None);
    assert_eq!(store.use_token(KeyHash::of("t"), NOW).await.unwrap(), None);
    assert!(open_sessions(store, hanako).await.is_empty());
    assert_eq!(actions(store).await.last().map(String::as_str), Some("reset_second_factors"));
}

pub async fn the_last_way_in_of_the_last_administrator_stays(store: &dyn Store) {
    let contract = contract(store, "demo").await;
    let new = NewAdministrator::new("only", Role::Administrator, Some(contract));
    let only = store.create_administrator(new, act()).await.unwrap();
    let subject = ProviderSubject { issuer: "https://id.example".into(), subject: "s".into() };
    store.link_subject(only, subject.clone(), act()).await.unwrap();
    let stays = |answer: Result<(), StoreError>| {
        assert!(matches!(answer, Err(StoreError::Refused(Refusal::OnlyWayIn))), "{answer:?}");
    };
    stays(store.unlink_subjects(only, entrance(), act()).await);
    let reset = store.reset_means(Some(contract), only, act()).await;
    assert!(matches!(reset, Err(StoreError::Refused(Refusal::LastOne { .. }))), "{reset:?}");
    assert_eq!(store.person_of_subject(subject).await.unwrap(), Some(only));
    let key = store.add_passkey(only, passkey(b"k"), None, act()).await.unwrap();
    store.unlink_subjects(only, entrance(), act()).await.unwrap();
    stays(store.remove_passkey(only, key, entrance(), act()).await);
    let second = NewAdministrator {
        password_hash: Some("$hash".to_owned()),
        ..NewAdministrator::new("second", Role::Administrator, Some(contract))
    };
    store.create_administrator(second, act()).await.unwrap();
    stays(store.remove_passkey(only, key, entrance(), act()).await);
    store.reset_means(Some(contract), only, act()).await.unwrap();
}

pub async fn of_two_ways_in_that_are_removed_at_once_one_stays(store: &dyn Store) {
    let contract = contract(store, "demo").await;
    let without_a_password = async |login: &str| {
        let new = NewAdministrator::new(login, Role::HumanResources, Some(contract));
        store.create_administrator(new, act()).await.unwrap()
    };
    for round in 0..8 {
        let only = without_a_password(&format!("only-{round}")).await;
        let issuer = format!("https://id.example/{round}");
        let subject = ProviderSubject { issuer: issuer.clone(), subject: "s".into() };
        store.link_subject(only, subject, act()).await.unwrap();
        let key = store.add_passkey(only, passkey(issuer.as_bytes()), None, act()).await.unwrap();
        let here = Entrance { passkeys: true, issuer: Some(issuer), ..Entrance::default() };
        let (first, second) = tokio::join!(
            store.unlink_subjects(only, here.clone(), act()),
            store.remove_passkey(only, key, here, act())
        );
        let refused = [first, second].into_iter().filter_map(Result::err).collect::<Vec<_>>();
        assert!(matches!(refused[..], [StoreError::Refused(Refusal::OnlyWayIn)]), "{refused:?}");
        let left = store.means(only).await.unwrap();
        assert_eq!(left.passkeys.len() + left.subjects.len(), 1);
    }
    // What the server does not take is no way in.
    let only = without_a_password("only").await;
    let elsewhere = ProviderSubject { issuer: "https://old.example".into(), subject: "s".into() };
    store.link_subject(only, elsewhere, act()).await.unwrap();
    let key = store.add_passkey(only, passkey(b"k"), None, act()).await.unwrap();
    let refused = store.remove_passkey(only, key, entrance(), act()).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refusal::OnlyWayIn))), "{refused:?}");
    let no_passkeys = Entrance { passkeys: false, ..entrance() };
    let refused = store.unlink_subjects(only, no_passkeys, act()).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refusal::OnlyWayIn))), "{refused:?}");
    store.unlink_subjects(only, entrance(), act()).await.unwrap();
    store.set_password(only, "$hash".into(), false, act()).await.unwrap();
    store.remove_passkey(only, key, entrance(), act()).await.unwrap();
}

pub async fn of_two_second_factors_that_are_removed_at_once_one_stays(store: &dyn Store) {
    let hanako = person(store, "hanako").await;
    let contract = store.contract("demo").await.unwrap().unwrap().id;
    store.require_second_factor(contract, vec![Role::HumanResources], act()).await.unwrap();
    for round in 0..8_u8 {
        store.set_totp(hanako, vec![1], 7, None, act()).await.unwrap();
        let key = store.add_passkey(hanako, passkey(&[round]), None, act()).await.unwrap();
        let (first, second) = tokio::join!(
            store.remove_totp(hanako, entrance(), act()),
            store.remove_passkey(hanako, key, entrance(), act())
        );
        let refused = [first, second].into_iter().filter_map(Result::err).collect::<Vec<_>>();
        assert!(matches!(refused[..], [StoreError::Refused(Refusal::LastSecondFactor)]), "{refused:?}");
        store.require_second_factor(contract, vec![], act()).await.unwrap();
        store.remove_totp(hanako, entrance(), act()).await.unwrap();
        for left in store.means(hanako).await.unwrap().passkeys {
            store.remove_passkey(hanako, left.id, entrance(), act()).await.unwrap();
        }
        store.require_second_factor(contract, vec![Role::HumanResources], act()).await.unwrap();
    }
    // Of operators the server says it.
    let new = NewAdministrator {
        password_hash: Some("$hash".into()),
        ..NewAdministrator::new("root", Role::Operator, None)
    };
    let root = store.create_administrator(new, act()).await.unwrap();
    store.set_totp(root, vec![1], 7, None, act()).await.unwrap();
    let must = Entrance { operators_second_factor: true, ..entrance() };
    let refused = store.remove_totp(root, must, act()).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refusal::LastSecondFactor))), "{refused:?}");
    store.remove_totp(root, entrance(), act()).await.unwrap();
}

pub async fn a_subject_is_one_person_and_a_token_ends(store: &dyn Store) {
    let (hanako, taro) = (person(store, "hanako").await, person(store, "taro").await);
    let subject = |issuer: &str| ProviderSubject { issuer: issuer.into(), subject: "s".into() };
    store.link_subject(hanako, subject("a"), act()).await.unwrap();
    assert!(store.link_subject(taro, subject("a"), act()).await.is_err());
    store.link_subject(taro, subject("b"), act()).await.unwrap();
    assert_eq!(store.person_of_subject(subject("a")).await.unwrap(), Some(hanako));
    store.unlink_subjects(hanako, entrance(), act()).await.unwrap();
    assert_eq!(store.person_of_subject(subject("a")).await.unwrap(), None);
    assert_eq!(store.person_of_subject(subject("b")).await.unwrap(), Some(taro));

    let token = NewToken { name: "t".into(), hash: KeyHash::of("t"), expires_at: NOW.plus(10) };
    let id = store.add_token(hanako, token, act()).await.unwrap();
    assert_eq!(store.use_token(KeyHash::of("u"), NOW).await.unwrap(), None);
    assert_eq!(store.use_token(KeyHash::of("t"), NOW.plus(9)).await.unwrap(), Some(hanako));
    assert_eq!(store.use_token(KeyHash::of("t"), NOW.plus(10)).await.unwrap(), None);
    assert_eq!(store.means(hanako).await.unwrap().tokens[0].used_at, Some(NOW.plus(9)));
    assert!(store.remove_token(taro, id, act()).await.is_err());
    store.remove_token(hanako, id, act()).await.unwrap();
    assert_eq!(store.use_token(KeyHash::of("t"), NOW).await.unwrap(), None);
}

pub async fn all_tokens_of_somebody_end_together_and_with_the_way_in(store: &dyn Store) {
    let (hanako, taro) = (person(store, "hanako").await, person(store, "taro").await);
    let demo = store.contract("demo").await.unwrap().unwrap().id;
    let add = async |person, name: &str| {
        let token = NewToken { name: name.into(), hash: KeyHash::of(name), expires_at: NOW.plus(10) };
        store.add_token(person, token, act()).await.unwrap();
    };
    add(taro, "his").await;
    add(hanako, "a").await;
    store.set_password(hanako, "$hash".into(), false, act()).await.unwrap();
    assert_eq!(store.use_token(KeyHash::of("a"), NOW).await.unwrap(), Some(hanako), "it was not asked for");
    store.set_password(hanako, "$hash".into(), true, act()).await.unwrap();
    add(hanako, "a").await;
    add(hanako, "b").await;
    assert_eq!(store.end_tokens(hanako, act()).await.unwrap(), 2);
    assert_eq!(store.end_tokens(hanako, act()).await.unwrap(), 0);
    add(hanako, "a").await;
    store.start_setup(Some(demo), hanako, KeyHash::of("link"), NOW.plus(10), act()).await.unwrap();
    assert_eq!(store.use_token(KeyHash::of("a"), NOW).await.unwrap(), Some(hanako), "until it is used");
    store.finish_setup(KeyHash::of("link"), "$hash".into(), NOW).await.unwrap();
    add(hanako, "b").await;
    for disabled in [true, true, false, false] {
        store.set_disabled(Some(demo), hanako, disabled, act()).await.unwrap();
    }
    for token in ["a", "b"] {
        assert_eq!(store.use_token(KeyHash::of(token), NOW).await.unwrap(), None, "{token}");
    }
    assert_eq!(store.use_token(KeyHash::of("his"), NOW).await.unwrap(), Some(taro));
    let log = store.audit_log(Some(demo), None, 100).await.unwrap();
    let noted = log.iter().rev().filter(|entry| entry.detail.contains("tokens")).map(|entry| &*entry.action);
    let expected = ["set_password", "revoke_api_tokens", "use_setup_link", "disable_administrator"];
    assert_eq!(noted.collect::<Vec<_>>(), expected, "with how many there were");
    let turned = log.iter().filter(|entry| entry.action.ends_with("able_administrator")).count();
    assert_eq!(turned, 2, "what changes nothing is not noted");
}

pub async fn a_login_waits_after_ten_failures_whether_or_not_it_exists(store: &dyn Store) {
    let hanako = person(store, "hanako").await;
    let act_at = |seconds: i64| Act::administrator("hanako", NOW.plus(seconds * 1000));
    for login in ["hanako", "nobody"] {
        for _ in 0..FAILURES_FREE {
            assert_eq!(store.begin_sign_in(login, NOW).await.unwrap(), None);
            store.note_failed_sign_in(login, Some("192.0.2.7".into()), NOW).await.unwrap();
        }
        let until = NOW.plus(30_000);
        assert_eq!(store.begin_sign_in(login, until.plus(-1)).await.unwrap(), Some(until));
        let asked = || vec!["somebody else".to_owned(), login.to_owned()];
        assert_eq!(store.waits(asked(), until.plus(-1)).await.unwrap(), [None, Some(until)]);
        assert_eq!(store.waits(asked(), until).await.unwrap(), [None, None], "asking is no try");
        assert_eq!(store.begin_sign_in(login, until).await.unwrap(), None, "one more try");
        assert_eq!(store.begin_sign_in(login, until).await.unwrap(), Some(until.plus(60_000)));
    }
    assert_eq!(actions(store).await, ["lock_out"], "of the one that exists, once");
    assert_eq!(details(store, "lock_out").await, [r#"{"address":"192.0.2.7","failures":10}"#]);
    let contract = store.contract("demo").await.unwrap().unwrap().id;
    let log = store.audit_log(Some(contract), None, 1).await.unwrap().remove(0);
    assert_eq!((&*log.by, &*log.object), ("server", "administrator hanako"), "not by who is locked out");
    let free = NOW.plus(90_000);
    assert_eq!(store.begin_sign_in("hanako", free).await.unwrap(), None);
    store.take_try_back("hanako").await.unwrap();
    assert_eq!(store.begin_sign_in("hanako", free).await.unwrap(), None, "a right try makes nobody wait");
    let here = Origin { address: Some("192.0.2.8".into()), agent: Some("Edge · Windows".into()) };
    store.note_sign_in(hanako, "password".into(), here, act_at(40)).await.unwrap();
    store.note_sign_in(hanako, "passkey".into(), Origin::default(), act_at(41)).await.unwrap();
    assert_eq!(
        details(store, "sign_in").await,
        [
            r#"{"address":"192.0.2.8","agent":"Edge · Windows","failures":12,"how":"password"}"#,
            r#"{"how":"passkey"}"#
        ]
    );
    assert_eq!(store.begin_sign_in("hanako", NOW.plus(40_000)).await.unwrap(), None, "forgotten");
    let day_later = NOW.plus(30_000 + 24 * 3_600_000);
    assert_eq!(store.begin_sign_in("nobody", day_later).await.unwrap(), None);
    store.delete_ended_sessions(day_later).await.unwrap();
    for _ in 1..FAILURES_FREE {
        assert_eq!(
            store.begin_sign_in("nobody", day_later).await.unwrap(),
            None,
            "counted from the beginning"
        );
    }
}

pub async fn sessions_are_listed_and_ended_by_their_owner_alone(store: &dyn Store) {
    let (hanako, taro) = (person(store, "hanako").await, person(store, "taro").await);
    for id in ["a", "b", "c"] {
        open(store, id, hanako).await;
    }
    store.touch_session("b", NOW.plus(1)).await.unwrap();
    assert_eq!(open_sessions(store, hanako).await, ["b", "a", "c"]);
    assert!(!store.end_session(taro, "a".into(), act()).await.unwrap());
    assert!(store.end_session(hanako, "a".into(), act()).await.unwrap());
    assert_eq!(store.end_sessions(hanako, Some("b".into()), act()).await.unwrap(), 1);
    assert_eq!(open_sessions(store, hanako).await, ["b"]);
    for id in ["a", "c"] {
        let left = store.load_session(id, NOW).await.unwrap().unwrap();
        assert_eq!((left.data.as_slice(), left.person), (SESSION_ENDED, None), "whoever comes back is told");
        let late = WebSession { data: vec![7], person: Some(hanako), ..left.clone() };
        store.save_session(late).await.unwrap();
        assert_eq!(
            store.load_session(id, NOW).await.unwrap(),
            Some(left),
            "a request in flight changes nothing"
        );
    }
    assert_eq!(open_sessions(store, hanako).await, ["b"]);
    assert_eq!(actions(store).await, ["end_sessions", "end_sessions"]);
}

pub async fn what_has_idled_out_does_not_begin_again_with_another_setting(store: &dyn Store) {
    let (hanako, elsewhere) = (person(store, "hanako").await, contract(store, "elsewhere").await);
    let demo = store.contract("demo").await.unwrap().unwrap().id;
    let stranger = NewAdministrator::new("stranger", Role::HumanResources, Some(elsewhere));
    let stranger = store.create_administrator(stranger, act()).await.unwrap();
    let now = NOW.plus(3_600_000);
    let used = async |id: &str, person, at| {
        let live = WebSession {
            id: id.into(),
            data: vec![],
            person: Some(person),
            expires_at: now.plus(9),
            seen_at: at,
        };
        assert!(store.create_session(live).await.unwrap());
    };
    used("over", hanako, Some(NOW)).await;
    used("just not", hanako, Some(NOW.plus(1))).await;
    used("not yet", hanako, None).await;
    used("theirs", stranger, Some(NOW)).await;
    let set = async |minutes| {
        let settings = ContractSettings { idle_minutes: minutes, ..ContractSettings::default() };
        store.change_settings(demo, "demo".into(), settings, Act::administrator("x", now)).await.unwrap();
    };
    let open = async |person| {
        let found = store.sessions_of(person, now).await.unwrap();
        found.into_iter().map(|found| found.id).collect::<Vec<_>>()
    };
    set(Some(60)).await;
    assert_eq!(open(hanako).await, ["just not", "over", "not yet"], "60 minutes it was, so nothing changes");
    set(None).await;
    assert_eq!(open(hanako).await, ["just not", "not yet"]);
    assert_eq!(open(stranger).await, ["theirs"]);
    set(Some(15)).await;
    assert_eq!(open(hanako).await, ["just not", "not yet"], "nothing ended while nothing was set");
    assert_eq!(actions(store).await, ["change_settings", "change_settings"]);
}

pub async fn a_contract_says_which_roles_need_a_second_factor(store: &dyn Store) {
    let hanako = person(store, "hanako").await;
    let demo = store.contract("demo").await.unwrap().unwrap().id;
    assert_eq!(store.second_factor(hanako).await.unwrap(), SecondFactor::default());
    store.require_second_factor(demo, vec![Role::HumanResources, Role::Auditor], act()).await.unwrap();
    let needed = store.second_factor(hanako).await.unwrap();
    assert_eq!(needed, SecondFactor { set_up: false, required: true });
    store.add_passkey(hanako, passkey(b"k"), None, act()).await.unwrap();
    assert!(store.second_factor(hanako).await.unwrap().set_up);
    store.require_second_factor(demo, vec![Role::Auditor], act()).await.unwrap();
    assert_eq!(store.second_factor_roles(demo).await.unwrap(), [Role::Auditor]);
    assert!(!store.second_factor(hanako).await.unwrap().required);
}
