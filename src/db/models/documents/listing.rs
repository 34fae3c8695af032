//! A page of an owner's documents: one query, whatever the order, the place and the search.

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType, Text};

use super::super::search::{self, DENSE, Search};
use super::{Document, Place, Sort, SortKey};
use crate::db::keyset::{self, PlaceKey};
use crate::db::schema::documents;
use crate::db::{DbConn, DbError};
use crate::ids::UserId;

/// Which part of a list.
pub type Part = keyset::Part<Place>;

/// A page of an owner's documents: at most `limit` rows, in the list's order whichever way the page was reached.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// Whose.
    pub owner: UserId,
    /// Order.
    pub sort: Sort,
    /// Only those found by this, and whether the list is walked in its own order for it: so many are found, or so few are to be seen.
    pub search: Option<(Search, bool)>,
    /// Which part.
    pub part: Part,
    /// Most rows.
    pub limit: i64,
}

/// Lists a page.
pub fn list(connection: &mut DbConn, query: &ListQuery) -> Result<Vec<Document>, DbError> {
    let found = match &query.search {
        Some((wanted, false)) => Some(Found::new(connection, wanted)),
        _ => None,
    };
    let page = Page { query, found };
    // By the inner connections: the enum over them looks at every value of every row once more.
    let mut rows: Vec<Document> = match connection {
        DbConn::Postgres(inner) => page.load(inner)?,
        DbConn::Sqlite(inner) => page.load(inner)?,
    };
    if matches!(query.part, Part::Before(_)) {
        rows.reverse();
    }
    Ok(rows)
}

/// How many of the owner's documents a search finds, counted to one past [`DENSE`]; by walking all of them, or by the index.
pub fn count(connection: &mut DbConn, owner: UserId, search: &Search, walks: bool) -> Result<i64, DbError> {
    let count = Count {
        owner,
        search,
        found: (!walks).then(|| Found::new(connection, search)),
    };
    Ok(match connection {
        DbConn::Postgres(inner) => count.get_result(inner)?,
        DbConn::Sqlite(inner) => count.get_result(inner)?,
    })
}

/// What the search index is asked.
struct Found {
    from: &'static str,
    condition: (&'static str, &'static str),
    expression: String,
}

impl Found {
    fn new(connection: &DbConn, search: &Search) -> Self {
        Found {
            from: search::first_the_found(connection),
            condition: Search::condition(connection),
            expression: search.expression(connection),
        }
    }
}

/// The query as the builder cannot say it: the place is compared as a row, so that both databases start reading the index right there
/// and page 150 costs what page 1 does. Its columns come by position, and the database keeps it prepared: both are half of the page's
/// time otherwise.
struct Page<'a> {
    query: &'a ListQuery,
    found: Option<Found>,
}

impl<DB> QueryFragment<DB> for Page<'_>
where
    DB: Backend + HasSqlType<BigInt> + HasSqlType<Text>,
    i64: ToSql<BigInt, DB>,
    str: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let query = self.query;
        let column = query.sort.column();
        let backwards = matches!(query.part, Part::Before(_));
        let (direction, comparison) = if query.sort.descending != backwards {
            (" DESC", " < (")
        } else {
            (" ASC", " > (")
        };
        out.push_sql(
            "SELECT documents.seq, documents.id, documents.owner_id, documents.handle, documents.name, documents.name_key, \
             documents.content_type, documents.declared_type, documents.size_bytes, documents.sha256, documents.status, \
             documents.created_at, documents.updated_at, documents.trashed_at, documents.tags, documents.note FROM ",
        );
        out.push_sql(self.found.as_ref().map_or("documents", |found| found.from));
        out.push_sql(" WHERE documents.owner_id = ");
        out.push_bind_param::<Text, _>(&query.owner)?;
        out.push_sql(match query.sort.key {
            SortKey::Trashed => " AND documents.trashed_at IS NOT NULL",
            _ => " AND documents.trashed_at IS NULL",
        });
        if let Part::After(place) | Part::Before(place) = &query.part {
            out.push_sql(" AND (documents.");
            out.push_sql(column);
            out.push_sql(", documents.id)");
            out.push_sql(comparison);
            match &place.key {
                PlaceKey::Number(number) => out.push_bind_param::<BigInt, _>(number)?,
                PlaceKey::Text(text) => out.push_bind_param::<Text, _>(text)?,
            }
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(&place.id)?;
            out.push_sql(")");
        }
        if let Some((wanted, _)) = &query.search {
            // What is the best way to find something depends on what it is: planned anew each time.
            out.unsafe_to_cache_prepared();
            push_conditions(wanted, &mut out)?;
        }
        if let Some(found) = &self.found {
            push_found(found, &mut out)?;
        }
        out.push_sql(" ORDER BY documents.");
        out.push_sql(column);
        out.push_sql(direction);
        out.push_sql(", documents.id");
        out.push_sql(direction);
        // A bare `LIMIT ?` has SQLite plan the query anew whenever it is bound, which takes as long as the page's rows.
        out.push_sql(" LIMIT 0 + ");
        out.push_bind_param::<BigInt, _>(&query.limit)
    }
}

impl QueryId for Page<'_> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Page<'_> {
    type SqlType = Columns;
}

impl<C> RunQueryDsl<C> for Page<'_> {}

/// Counts what the index finds.
struct Count<'a> {
    owner: UserId,
    search: &'a Search,
    found: Option<Found>,
}

impl<DB> QueryFragment<DB> for Count<'_>
where
    DB: Backend + HasSqlType<BigInt> + HasSqlType<Text>,
    i64: ToSql<BigInt, DB>,
    str: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql("SELECT COUNT(*) FROM (SELECT documents.seq FROM ");
        out.push_sql(self.found.as_ref().map_or("documents", |found| found.from));
        out.push_sql(" WHERE documents.owner_id = ");
        out.push_bind_param::<Text, _>(&self.owner)?;
        out.push_sql(" AND documents.trashed_at IS NULL");
        push_conditions(self.search, &mut out)?;
        if let Some(found) = &self.found {
            push_found(found, &mut out)?;
        }
        out.push_sql(" LIMIT ");
        out.push_bind_param::<BigInt, _>(&COUNTED)?;
        out.push_sql(") AS found");
        Ok(())
    }
}

/// Counting on would cost more than it tells.
const COUNTED: i64 = DENSE + 1;

impl QueryId for Count<'_> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Count<'_> {
    type SqlType = BigInt;
}

impl<C> RunQueryDsl<C> for Count<'_> {}

/// What a row must look like to be found: the same whether it comes from the index or from the walk.
fn push_conditions<'b, DB>(search: &'b Search, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
where
    DB: Backend + HasSqlType<Text>,
    str: ToSql<Text, DB>,
{
    for part in &search.parts {
        out.push_sql(" AND (documents.name_key LIKE ");
        out.push_bind_param::<Text, _>(part.name_pattern.as_str())?;
        out.push_sql(r" ESCAPE '\'");
        for (at, pattern) in part.word_patterns.iter().enumerate() {
            out.push_sql(if at == 0 { " OR (" } else { " AND " });
            out.push_sql("documents.words LIKE ");
            out.push_bind_param::<Text, _>(pattern.as_str())?;
        }
        out.push_sql(if part.word_patterns.is_empty() { ")" } else { "))" });
    }
    if let Some(pattern) = &search.tag_pattern {
        out.push_sql(" AND documents.tags LIKE ");
        out.push_bind_param::<Text, _>(pattern.as_str())?;
        out.push_sql(r" ESCAPE '\'");
    }
    for (column, value) in [
        (" AND documents.family = ", &search.family),
        (" AND documents.status = ", &search.status),
    ] {
        if let Some(value) = value {
            out.push_sql(column);
            out.push_bind_param::<Text, _>(*value)?;
        }
    }
    Ok(())
}

fn push_found<'b, DB>(found: &'b Found, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
where
    DB: Backend + HasSqlType<Text>,
    str: ToSql<Text, DB>,
{
    out.push_sql(" AND ");
    out.push_sql(found.condition.0);
    out.push_bind_param::<Text, _>(found.expression.as_str())?;
    out.push_sql(found.condition.1);
    Ok(())
}

/// The columns of a document, in its order.
type Columns = diesel::dsl::SqlTypeOf<(
    documents::seq,
    documents::id,
    documents::owner_id,
    documents::handle,
    documents::name,
    documents::name_key,
    documents::content_type,
    documents::declared_type,
    documents::size_bytes,
    documents::sha256,
    documents::status,
    documents::created_at,
    documents::updated_at,
    documents::trashed_at,
    documents::tags,
    documents::note,
)>;
