//! Evidence packs as strangers check them: by the program alone, without a network, and by a second verifier that
//! shares no code with it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};
use mngntime_e2e::bus::short_directory;
use mngntime_e2e::root;
use mngntime_e2e::server::mngntime;
use mngntime_e2e::up::Up;

/// An office of eight PCs over ten days; two people share the eighth.
const OFFICE: [&str; 6] = ["--terminals", "8", "--days", "10", "--seed", "11"];

fn said(output: &Output) -> String {
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}{errors}")
}

/// A pack and its key.
struct Pack {
    file: PathBuf,
    key: PathBuf,
}

impl Pack {
    fn export(data: &Path, name: &str, what: &[&str]) -> Result<(Self, String)> {
        let folder = data.parent().context("a data directory has a parent")?;
        let pack = Self { file: folder.join(name), key: folder.join("key.pub") };
        let output = Command::new(mngntime()?)
            .args(["export", "evidence", "--data"])
            .arg(data)
            .args(what)
            .arg("--out")
            .arg(&pack.file)
            .arg("--public-key-out")
            .arg(&pack.key)
            .output()?;
        ensure!(output.status.success(), "{}", said(&output));
        Ok((pack, String::from_utf8(output.stdout)?))
    }

    /// The program alone: its own copy, no environment, no network.
    fn verify(&self, file: &Path) -> Result<Output> {
        let alone = tempfile::tempdir()?;
        let program = alone.path().join("mngntime");
        fs::copy(mngntime()?, &program)?;
        let mut command = Command::new("unshare");
        command
            .args(["--net", "env", "-i"])
            .arg(&program)
            .arg("verify")
            .arg(file)
            .arg("--key")
            .arg(&self.key);
        Ok(command.args(["--language", "en"]).current_dir(alone.path()).output()?)
    }

    fn verify_again(&self, file: &Path) -> Result<Output> {
        python("verify.py", &[file, &self.key])
    }

    /// Both verifiers say yes; what each of them says.
    fn is_good(&self) -> Result<(String, String)> {
        let (one, other) = (self.verify(&self.file)?, self.verify_again(&self.file)?);
        ensure!(one.status.success(), "{}", said(&one));
        ensure!(other.status.success(), "{}", said(&other));
        Ok((said(&one), said(&other)))
    }
}

/// Links the person who shares the eighth PC with another one, past the audit log, as somebody does who has the disk.
fn link_one_of_two(data: &Path) -> Result<()> {
    let database = rusqlite::Connection::open(data.join("mngntime.db"))?;
    database.execute_batch(
        "INSERT INTO employees (contract_id, id, code, name) VALUES (1, zeroblob(16), 'E1', '佐藤 花子');
         INSERT INTO account_links (contract_id, id, account_id, employee_id, from_date, created_at, created_by)
         SELECT 1, zeroblob(16), p.account_id, zeroblob(16), '2020-01-01', 0, 'test' FROM punches p
         WHERE p.terminal_id IN (SELECT terminal_id FROM punches GROUP BY terminal_id
                                 HAVING count(DISTINCT account_id) > 1)
         ORDER BY p.account_id LIMIT 1;",
    )?;
    Ok(())
}

#[test]
fn a_pack_is_checked_by_the_program_alone_and_by_a_verifier_that_is_not_ours() -> Result<()> {
    let (_directory, path) = short_directory()?;
    let data = path.join("data");
    let up = Up::start(&data, "unix:path=/nonexistent/bus")?;
    let sim = Command::new(mngntime()?)
        .args(["sim", "--url", up.value("url")?, "--contract", up.value("contract")?])
        .args(["--enrollment-key", up.value("enrollment-key")?])
        .args(OFFICE)
        .output()?;
    ensure!(sim.status.success(), "{}", said(&sim));

    // While the server runs.
    let (all, exported) = Pack::export(&data, "all.zip", &["--all"])?;
    let events = exported.rsplit("events=").next().context("the number of events")?.trim().to_owned();
    let (ours, second) = all.is_good()?;
    ensure!(ours.contains(&format!("{events} of them carry the signature")), "{events}: {ours}");
    let all_backed = ["hidden=0 ".to_owned(), "unbacked_keys=0 unbacked_links=0".to_owned()];
    for count in [format!("events={events}"), format!("signed={events}")].into_iter().chain(all_backed) {
        ensure!(second.contains(&count), "{count}: {second}");
    }

    link_one_of_two(&data)?;
    let dates = ["--employee", "E1", "--from", "2020-01-01", "--to", "2099-12-31"];
    let (one, _) = Pack::export(&data, "one.zip", &dates)?;
    let (ours, second) = one.is_good()?;
    ensure!(
        second.contains("unbacked_keys=0 unbacked_links=1"),
        "the key is in the log, the link is not: {second}"
    );
    ensure!(ours.contains("The public keys of 0 terminal(s) and 1 link(s)"), "{ours}");
    ensure!(!second.contains("hidden=0 "), "somebody else shares the PC: {second}");
    ensure!(up.stop()?);

    // Every verifier refuses every pack in which one bit is another.
    let good = fs::read(&one.file)?;
    let touched = path.join("touched.zip");
    for step in 0..40 {
        let mut bytes = good.clone();
        let bit = (step * 7_919_777 + 13) % (bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&touched, &bytes)?;
        ensure!(one.verify(&touched)?.status.code() == Some(1), "ours, bit {bit}");
        ensure!(one.verify_again(&touched)?.status.code() == Some(1), "the second one, bit {bit}");
    }
    // Another server's key proves nothing.
    fs::write(&one.key, "ezwqNN1XMhxt0NHsIyWlM42VfKNhkX0YPO2w8M3q47w=\n")?;
    ensure!(one.verify(&one.file)?.status.code() == Some(1));
    ensure!(one.verify_again(&one.file)?.status.code() == Some(1));
    Ok(())
}

/// One forged pack, and what has to come of it.
struct Forgery {
    is_refused: bool,
    file: PathBuf,
    name: String,
    /// What the words must admit when nobody can see it.
    words: String,
}

/// Everything that `forgeries.py` can do to the record or pack `source` with the server's secret key.
fn forgeries(source: &Path, key: &Path, directory: &Path) -> Result<Vec<Forgery>> {
    fs::create_dir(directory)?;
    let listed = python("forgeries.py", &[source, key, directory])?;
    ensure!(listed.status.success(), "{}", said(&listed));
    let forgery = |line: &str| {
        let fields: Vec<_> = line.split('\t').collect();
        let [fate, file, name, words] = fields[..] else { bail!("{line}") };
        let (file, name, words) = (directory.join(file), name.to_owned(), words.to_owned());
        Ok(Forgery { is_refused: fate == "refused", file, name, words })
    };
    String::from_utf8(listed.stdout)?.lines().map(forgery).collect()
}

fn python(script: &str, arguments: &[&Path]) -> Result<Output> {
    let script = root().join("e2e/verifier").join(script);
    // -B: nothing is left beside the scripts.
    Ok(Command::new("/usr/bin/python3").arg("-B").arg(script).args(arguments).output()?)
}

/// The rows of the table of forgeries in which a verifier says something else than it has
/// to: forgery, the program's word, the second verifier's word.
fn wrong_rows(forgeries: &[Forgery], key: &Path) -> Result<Vec<String>> {
    let mut arguments: Vec<_> = forgeries.iter().map(|forgery| forgery.file.as_path()).collect();
    arguments.push(key);
    let second = String::from_utf8(python("verify.py", &arguments)?.stdout)?;
    ensure!(second.lines().count() == forgeries.len(), "{second}");
    let mut wrong = Vec::new();
    for (forgery, second) in forgeries.iter().zip(second.lines()) {
        let mut verify = Command::new(mngntime()?);
        verify.arg("verify").arg(&forgery.file).arg("--key").arg(key).args(["--language", "en"]);
        let first = verify.output()?;
        let expected = if forgery.is_refused { (Some(1), "bad: ") } else { (Some(0), "good ") };
        let agree = first.status.code() == expected.0 && second.starts_with(expected.1);
        let first_says = |part: &str| said(&first).contains(part);
        let named = forgery.words.split(" | ").all(first_says);
        if !agree || !named || !(forgery.is_refused || count_alike(&said(&first), second)) {
            wrong.push(format!("{} | {} | {second}", forgery.name, said(&first)));
        }
    }
    Ok(wrong)
}

/// Whether both say as many events without a signature, as many times that do not fit, and as many terminals with too many
/// days.
fn count_alike(first: &str, second: &str) -> bool {
    let count = |name: &str| {
        let value = second.split(&format!(" {name}=")).nth(1).and_then(|rest| rest.split_whitespace().next());
        value.and_then(|value| value.parse::<u64>().ok())
    };
    let is_said = |count: u64, what: &str| match count {
        0 => !first.contains(what),
        count => first.contains(&format!(" {count} {what}")),
    };
    let signed = count("signed").zip(count("withheld")).map(|(signed, withheld)| signed + withheld);
    let unsigned = count("events").zip(signed).map(|(events, signed)| events - signed);
    let together = "event(s) sent together with what is not shown";
    count("withheld").is_some_and(|count| is_said(count, together))
        && unsigned.is_some_and(|count| is_said(count, "event(s) without their terminal's signature"))
        && count("odd_times").is_some_and(|count| is_said(count, "time(s) that do not fit the order"))
        && count("cut").is_some_and(|count| is_said(count, "terminal(s) whose oldest days are not shown"))
}

#[test]
fn both_verifiers_refuse_every_forgery_by_who_holds_the_servers_key() -> Result<()> {
    let (_directory, path) = short_directory()?;
    let data = path.join("data");
    let up = Up::start(&data, "unix:path=/nonexistent/bus")?;
    let sim = Command::new(mngntime()?)
        .args(["sim", "--url", up.value("url")?, "--contract", up.value("contract")?])
        .args([
            "--enrollment-key",
            up.value("enrollment-key")?,
            "--terminals",
            "2",
            "--days",
            "3",
            "--seed",
            "11",
        ])
        .output()?;
    ensure!(sim.status.success(), "{}", said(&sim));
    let (everything, _) = Pack::export(&data, "all.zip", &["--all"])?;
    ensure!(up.stop()?);
    // One employee's record, with hidden and missing numbers and two months; its server's key is known.
    let (one, key_of_one) = (root().join("crates/evidence/tests/record.jsonl"), path.join("key-of-one"));
    // Everything of a contract with a month that was retired, of the same server.
    let retired = root().join("crates/evidence/tests/retired.jsonl");
    fs::write(&key_of_one, [42; 32])?;

    let mut done = BTreeSet::new();
    for (source, key, folder) in [
        (&one, &key_of_one, "one"),
        (&retired, &key_of_one, "retired"),
        (&everything.file, &data.join("server-key"), "everything"),
    ] {
        let folder = path.join(folder);
        let forgeries = forgeries(source, key, &folder)?;
        let wrong = wrong_rows(&forgeries, &folder.join("key.pub"))?;
        ensure!(wrong.is_empty(), "of {}: {wrong:#?}", source.display());
        done.extend(forgeries.into_iter().map(|forgery| forgery.name));
    }
    let names = String::from_utf8(python("forgeries.py", &[Path::new("--names")])?.stdout)?;
    let not_done: Vec<_> = names.lines().filter(|name| !done.contains(*name)).collect();
    ensure!(not_done.is_empty() && names.lines().count() > 130, "neither record had room for {not_done:?}");
    Ok(())
}

#[test]
fn both_verifiers_judge_days_to_which_everything_happens_and_batches_written_in_odd_ways_alike() -> Result<()>
{
    let (_directory, path) = short_directory()?;
    let key = path.join("key");
    fs::write(&key, [42; 32])?;
    let (first, last) = (1, 200);
    let seeds = [first.to_string(), last.to_string()];
    let made = python("stories.py", &[&key, &path, Path::new(&seeds[0]), Path::new(&seeds[1])])?;
    ensure!(made.status.success(), "{}", said(&made));
    let story = |name: String| Forgery {
        is_refused: false,
        file: path.join(format!("{name}.zip")),
        name,
        words: "AUTHENTIC".to_owned(),
    };
    let odd = said(&made).split("odd=").nth(1).and_then(|count| count.trim().parse().ok());
    let odd: usize = odd.filter(|count| *count > 20).context("packs of odd batches")?;
    let odd = (0..odd).map(|number| format!("odd-{number}"));
    let stories: Vec<_> = (first..=last).map(|seed: u64| seed.to_string()).chain(odd).map(story).collect();
    let wrong = wrong_rows(&stories, &path.join("key.pub"))?;
    ensure!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

#[test]
fn the_second_verifier_refuses_every_bit_of_an_entry_and_whatever_contradicts_one() -> Result<()> {
    let output = python("changes.py", &[&root().join("crates/evidence/tests/record.jsonl")])?;
    ensure!(output.status.success(), "{}", said(&output));
    ensure!(said(&output).contains("contradictions=14"), "{}", said(&output));
    Ok(())
}
