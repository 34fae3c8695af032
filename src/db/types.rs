//! How Satchel's own types are kept in columns, on either database.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::BigInt;

use crate::clock::UtcTime;
use crate::ids::{ApiTokenId, AuditEntryId, BatchId, DocumentId, EventId, JobId, ResultId, UserId};

impl<B: Backend> FromSql<BigInt, B> for UtcTime
where
    i64: FromSql<BigInt, B>,
{
    fn from_sql(value: B::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(UtcTime::from_micros(i64::from_sql(value)?))
    }
}

impl<B: Backend> ToSql<BigInt, B> for UtcTime
where
    i64: ToSql<BigInt, B>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, B>) -> serialize::Result {
        self.as_micros().to_sql(out)
    }
}

/// A text column for a type with `as_str` and `FromStr`, on both databases and on the enum over them.
macro_rules! text_column {
    ($($name:ty),* $(,)?) => {$(
        impl<B: diesel::backend::Backend> diesel::deserialize::FromSql<diesel::sql_types::Text, B> for $name
        where
            String: diesel::deserialize::FromSql<diesel::sql_types::Text, B>,
        {
            fn from_sql(value: B::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                Ok(<String as diesel::deserialize::FromSql<diesel::sql_types::Text, B>>::from_sql(value)?.parse()?)
            }
        }

        impl<B: diesel::backend::Backend> diesel::serialize::ToSql<diesel::sql_types::Text, B> for $name
        where
            str: diesel::serialize::ToSql<diesel::sql_types::Text, B>,
        {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, B>,
            ) -> diesel::serialize::Result {
                <str as diesel::serialize::ToSql<diesel::sql_types::Text, B>>::to_sql(self.as_str(), out)
            }
        }
    )*};
}
pub(crate) use text_column;

text_column!(
    UserId,
    DocumentId,
    ApiTokenId,
    AuditEntryId,
    BatchId,
    EventId,
    JobId,
    ResultId
);
