//! A PostgreSQL for tests: a throw-away cluster made from the installed server's binaries, or the server that
//! `SATCHEL_TEST_POSTGRES_URL` names. Each test gets an empty database of its own.
//!
//! The cluster is started once per test process and listens on a socket in its own directory only. Statics are never
//! dropped, so it hangs on a pipe instead: a small shell waits for the pipe's end, which comes however this process
//! ends (kill -9 too), and then stops the server and removes the directory.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

const PREFIX: &str = "satchel_test_";

/// A database older than this was left behind by a test process that was killed.
const LEFT_BEHIND_AFTER: Duration = Duration::from_secs(3600);

/// An empty database, dropped with this value.
pub struct TestDatabase {
    /// What `DATABASE_URL` would be.
    pub url: String,
    name: String,
}

/// Makes an empty database.
pub fn database() -> TestDatabase {
    let server = server();
    let name = format!("{PREFIX}{}", Uuid::now_v7().simple());
    // From template0, which nobody is ever connected to: several tests may do this at once.
    server
        .execute(&format!("CREATE DATABASE {name} TEMPLATE template0"))
        .expect("a database can be made");
    TestDatabase {
        url: with_database(&server.url, &name),
        name,
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // FORCE because pools of the test may still hold connections.
        if let Err(error) = server().execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name)) {
            eprintln!("test database {} was left behind: {error}", self.name);
        }
    }
}

struct Server {
    /// Of the database that statements about databases are sent to.
    url: String,
    /// The end of its standard input stops the cluster; the system closes that when this process ends.
    _leash: Option<Child>,
}

impl Server {
    fn execute(&self, statement: &str) -> Result<(), String> {
        let mut connection = PgConnection::establish(&self.url).map_err(|error| error.to_string())?;
        connection
            .batch_execute(statement)
            .map_err(|error| error.to_string())
    }

    fn sweep(&self) {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Text)]
            datname: String,
        }
        let mut connection = PgConnection::establish(&self.url)
            .unwrap_or_else(|error| panic!("cannot connect to {}: {error}", self.url));
        let rows: Vec<Row> = diesel::sql_query("SELECT datname::text AS datname FROM pg_database")
            .load(&mut connection)
            .expect("the databases can be listed");
        for row in rows
            .iter()
            .filter(|row| is_left_behind(&row.datname, SystemTime::now()))
        {
            // Another process may sweep at the same time; whoever comes second has nothing to do.
            let _ = connection.batch_execute(&format!("DROP DATABASE IF EXISTS {}", row.datname));
        }
    }
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| match std::env::var("SATCHEL_TEST_POSTGRES_URL") {
        Ok(url) if !url.is_empty() => {
            let server = Server { url, _leash: None };
            server.sweep();
            server
        }
        _ => start_cluster(),
    })
}

/// Whether this is one of our names, with a time in it that is long past.
fn is_left_behind(name: &str, now: SystemTime) -> bool {
    let id = name.strip_prefix(PREFIX).and_then(|id| Uuid::parse_str(id).ok());
    let Some(made) = id.and_then(|id| id.get_timestamp()) else {
        return false;
    };
    let (seconds, _) = made.to_unix();
    now.duration_since(UNIX_EPOCH + Duration::from_secs(seconds))
        .is_ok_and(|age| age > LEFT_BEHIND_AFTER)
}

/// The same server's URL with another database in it. `postgres://app@/db?host=/run` is no URL to a URL parser.
fn with_database(url: &str, database: &str) -> String {
    let (rest, query) = url
        .split_once('?')
        .map_or((url, None), |(rest, query)| (rest, Some(query)));
    let host_at = rest.find("://").map_or(0, |at| at + 3);
    let path_at = rest[host_at..].find('/').map_or(rest.len(), |at| host_at + at);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{database}{query}", &rest[..path_at])
}

/// `$1` is the cluster's directory, which the shell makes and removes, `$2` that of the binaries; what the server says is
/// our standard error. initdb writes to a file, or the end of this process would break it off half done. The background
/// job holds none of our pipes but the leash; it repeats the signal because a server just started ignores it.
const LEASH: &str = r#"
umask 077
mkdir "$1" && cd "$1" || exit
exec 3<&0 </dev/null
if "$2/initdb" --username=app --auth=trust --no-sync --locale=C --encoding=UTF8 data >initdb.log 2>&1 3<&-
then
    "$2/postgres" -D data -h '' -k "$1" -F -c synchronous_commit=off -c full_page_writes=off \
        -c max_connections=300 3<&- &
    server=$!
    { cat <&3; while kill -QUIT $server; do sleep 0.1; done; } >/dev/null 2>&1 &
    exec 3<&-
    wait $server
else
    cat initdb.log >&2
fi
cd / && rm -rf "$1"
"#;

fn start_cluster() -> Server {
    // Not in TMPDIR: a socket's path ends at 107 bytes, and another user may have to reach it.
    let directory = format!("/tmp/satchel-pg-{}", Uuid::now_v7().simple());
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", LEASH, "sh", &directory])
        .arg(binaries())
        .current_dir("/");
    if let Some((uid, gid)) = unprivileged_user() {
        shell.uid(uid).gid(gid);
    }
    let mut shell = shell
        // Out of reach of Ctrl-C: the cluster ends after the tests, not before.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell can be started");
    wait_until_ready(BufReader::new(
        shell.stderr.take().expect("standard error is a pipe"),
    ));
    let url = format!("postgres:///postgres?host={directory}&user=app");
    Server {
        url,
        _leash: Some(shell),
    }
}

/// Reads the server's log until it says so; then on, in the background, so that the server never waits for us.
fn wait_until_ready(log: BufReader<std::process::ChildStderr>) {
    let mut lines = log.lines().map_while(Result::ok);
    let mut seen = Vec::new();
    for line in lines.by_ref() {
        if line.contains("database system is ready to accept connections") {
            std::thread::spawn(move || lines.for_each(drop));
            return;
        }
        seen.push(line);
    }
    panic!("PostgreSQL did not start:\n{}", seen.join("\n"));
}

/// Where `initdb` and `postgres` are. Debian keeps them off the PATH, and has `pg_config` only with libpq-dev.
pub fn binaries() -> PathBuf {
    let from_pg_config = Command::new("pg_config").arg("--bindir").output().ok();
    let from_pg_config =
        from_pg_config.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut debian: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .collect();
    debian.sort();
    let debian = debian.into_iter().rev().map(|(_, path)| path);
    from_pg_config
        .into_iter()
        .chain(std::env::split_paths(&path))
        .chain(debian)
        .find(|place| place.join("initdb").is_file() && place.join("postgres").is_file())
        .expect("PostgreSQL's server binaries (initdb, postgres) are needed: on Debian, `apt-get install postgresql`; or name a server in SATCHEL_TEST_POSTGRES_URL")
}

/// PostgreSQL refuses to run as root: then it runs as `nobody`.
pub fn unprivileged_user() -> Option<(u32, u32)> {
    let id = Command::new("id").arg("-u").output().expect("id can be started");
    if String::from_utf8_lossy(&id.stdout).trim() != "0" {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let nobody = users.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let is_nobody = fields.first() == Some(&"nobody");
        is_nobody.then(|| Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?)))?
    });
    Some(nobody.unwrap_or((65534, 65534)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }

    #[test]
    #[ignore = "needs PostgreSQL"]
    fn each_test_has_a_database_of_its_own() {
        let first = database();
        let second = database();
        for database in [&first, &second] {
            let mut connection = PgConnection::establish(&database.url).unwrap();
            connection
                .batch_execute("CREATE TABLE t (n bigint); INSERT INTO t VALUES (1)")
                .unwrap();
            let rows: Vec<Count> = diesel::sql_query("SELECT count(*) FROM t")
                .load(&mut connection)
                .unwrap();
            assert_eq!(rows[0].count, 1);
        }
    }

    #[test]
    #[ignore = "needs PostgreSQL"]
    fn a_database_is_gone_with_its_value_even_while_connected() {
        let database = database();
        let url = database.url.clone();
        let _connection = PgConnection::establish(&url).unwrap();
        drop(database);
        let refused = PgConnection::establish(&url).err().expect("the database is gone");
        assert!(refused.to_string().contains("does not exist"), "{refused}");
    }

    #[test]
    fn only_old_databases_of_ours_are_left_behind() {
        let made = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let stamp = uuid::Timestamp::from_unix(uuid::NoContext, 1_700_000_000, 0);
        let name = format!("{PREFIX}{}", Uuid::new_v7(stamp).simple());
        assert!(is_left_behind(&name, made + LEFT_BEHIND_AFTER * 2));
        assert!(!is_left_behind(&name, made + LEFT_BEHIND_AFTER / 2));
        assert!(!is_left_behind("postgres", made + LEFT_BEHIND_AFTER * 2));
        assert!(!is_left_behind(
            "satchel_test_of_mine",
            made + LEFT_BEHIND_AFTER * 2
        ));
    }

    #[test]
    fn a_database_is_put_into_any_form_of_url() {
        for (url, expected) in [
            (
                "postgres://app:pw@host:5433/old?sslmode=disable",
                "postgres://app:pw@host:5433/new?sslmode=disable",
            ),
            ("postgres://host", "postgres://host/new"),
            (
                "postgres:///old?host=/run/pg&user=app",
                "postgres:///new?host=/run/pg&user=app",
            ),
            (
                "postgres://app@/old?host=/run/pg",
                "postgres://app@/new?host=/run/pg",
            ),
        ] {
            assert_eq!(with_database(url, "new"), expected);
        }
    }
}
