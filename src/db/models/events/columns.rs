//! Statements that add rows and are the same whatever is added, so that each database reads and plans them once.
//!
//! On PostgreSQL each column is an array, however many rows there are: it takes longer to read a list of rows than to add them. On
//! SQLite it is a row at a time, since there is no network between us and the file; Diesel's own statement is put together anew for
//! every row when it knows of conflicts.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, Text};
use diesel::sqlite::Sqlite;

use super::deliveries::Delivery;
use super::{Event, EventState};
use crate::clock::UtcTime;
use crate::ids::{DocumentId, EventId};

/// A statement that adds rows by columns: its name, a row, the table, what follows, what it gives, and the columns with their types.
macro_rules! insert_by_columns {
    ($name:ident, $row:ty, $table:literal, $end:literal, $gives:ty, { $($column:ident: $rust:ty => $sql:ty),* $(,)? }) => {
        pub(super) struct $name<'a> {
            $($column: Vec<&'a $rust>,)*
        }

        impl<'a> $name<'a> {
            pub(super) fn of(rows: impl Iterator<Item = &'a $row> + Clone) -> Self {
                $name {
                    $($column: rows.clone().map(|row| &row.$column).collect(),)*
                }
            }
        }

        impl QueryFragment<Pg> for $name<'_> {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
                let columns = [$(stringify!($column)),*].join(", ");
                out.push_sql(concat!("INSERT INTO ", $table, " ("));
                out.push_sql(&columns);
                out.push_sql(") SELECT * FROM unnest");
                let mut before = "(";
                $(
                    out.push_sql(std::mem::replace(&mut before, ", "));
                    out.push_bind_param::<Array<$sql>, _>(&self.$column)?;
                )*
                out.push_sql($end);
                Ok(())
            }
        }

        impl QueryId for $name<'_> {
            type QueryId = ();

            const HAS_STATIC_QUERY_ID: bool = false;
        }

        impl Query for $name<'_> {
            type SqlType = $gives;
        }

        impl RunQueryDsl<PgConnection> for $name<'_> {}
    };
}

/// A statement that adds one row, unless that is in conflict with another.
macro_rules! insert_by_row {
    ($name:ident, $row:ty, $table:literal, { $($column:ident: $rust:ty => $sql:ty),* $(,)? }) => {
        pub(super) struct $name<'a>(pub(super) &'a $row);

        impl QueryFragment<Sqlite> for $name<'_> {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
                out.push_sql(concat!("INSERT INTO ", $table));
                let mut before = " (";
                $(
                    out.push_sql(std::mem::replace(&mut before, ", "));
                    out.push_sql(stringify!($column));
                )*
                let mut before = ") VALUES (";
                $(
                    out.push_sql(std::mem::replace(&mut before, ", "));
                    out.push_bind_param::<$sql, $rust>(&self.0.$column)?;
                )*
                out.push_sql(") ON CONFLICT DO NOTHING");
                Ok(())
            }
        }

        impl QueryId for $name<'_> {
            type QueryId = $name<'static>;

            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl RunQueryDsl<SqliteConnection> for $name<'_> {}
    };
}

/// The columns of events, for either.
macro_rules! with_event_columns {
    ($insert:ident!($($what:tt)*)) => {
        $insert!($($what)*, {
            id: EventId => Text,
            dedupe_key: String => Text,
            filestack_id: Option<i64> => Nullable<BigInt>,
            action: String => Text,
            body: Vec<u8> => Binary,
            digest: String => Text,
            state: EventState => Text,
            reason: Option<String> => Nullable<Text>,
            handle: Option<String> => Nullable<Text>,
            path: Option<String> => Nullable<Text>,
            document_id: Option<DocumentId> => Nullable<Text>,
            late: bool => Bool,
            sample: bool => Bool,
            signed_at: UtcTime => BigInt,
            received_at: UtcTime => BigInt,
            settled_at: Option<UtcTime> => Nullable<BigInt>,
            deliveries: i32 => Integer,
            attempts: i32 => Integer,
            headers: String => Text,
            took_micros: i64 => BigInt,
        });
    };
}

with_event_columns!(insert_by_columns!(
    InsertEvents,
    Event,
    "events",
    ") ON CONFLICT DO NOTHING RETURNING id",
    Text
));
with_event_columns!(insert_by_row!(InsertEvent, Event, "events"));

insert_by_columns!(InsertDeliveries, Delivery, "event_deliveries", ")", (), {
    event_id: EventId => Text,
    number: i32 => Integer,
    received_at: UtcTime => BigInt,
    signed_at: UtcTime => BigInt,
    headers: String => Text,
    verdict: String => Text,
    took_micros: i64 => BigInt,
});
