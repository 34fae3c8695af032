//! Pages of a list by the place of a row in it: page 10,000 costs what page 1 does.

use crate::clock::UtcTime;

/// A place in a list that is ordered by a time, and by the id where times are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimePlace<I> {
    /// The time of the row beside it.
    pub at: UtcTime,
    /// The id of that row.
    pub id: I,
}

impl<I: Copy> TimePlace<I> {
    /// The time and the id.
    pub fn pair(&self) -> (UtcTime, I) {
        (self.at, self.id)
    }
}

/// A place in a list that can be had in several orders: the value a row is sorted by, and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPlace<I> {
    /// Key of the row beside it.
    pub key: PlaceKey,
    /// Its id.
    pub id: I,
}

/// The value a row is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceKey {
    /// A number, or a time in microseconds.
    Number(i64),
    /// A name.
    Text(String),
}

impl<I: Copy> KeyPlace<I> {
    /// The number and the id, in an order by numbers.
    pub fn by_number(&self) -> Option<(i64, I)> {
        match self.key {
            PlaceKey::Number(number) => Some((number, self.id)),
            PlaceKey::Text(_) => None,
        }
    }

    /// The time and the id, in an order by times.
    pub fn by_time(&self) -> Option<(UtcTime, I)> {
        self.by_number()
            .map(|(micros, id)| (UtcTime::from_micros(micros), id))
    }

    /// The name and the id, in an order by names.
    pub fn by_text(&self) -> Option<(String, I)> {
        match &self.key {
            PlaceKey::Number(_) => None,
            PlaceKey::Text(text) => Some((text.clone(), self.id)),
        }
    }
}

/// Which part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<P> {
    /// Its beginning.
    First,
    /// What follows this place.
    After(P),
    /// What precedes it.
    Before(P),
}

impl<P> Part<P> {
    /// Whether rows are read towards the beginning of the list.
    pub fn is_backwards(&self) -> bool {
        matches!(self, Part::Before(_))
    }

    /// The place, if there is one.
    pub fn place(&self) -> Option<&P> {
        match self {
            Part::First => None,
            Part::After(place) | Part::Before(place) => Some(place),
        }
    }
}

/// A part of a list, and whether the list goes on on either side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice<T> {
    /// The rows, in the order of the list.
    pub rows: Vec<T>,
    /// Whether there are rows before these.
    pub has_previous: bool,
    /// Whether there are rows after these.
    pub has_next: bool,
}

impl<T> Slice<T> {
    /// Takes rows as they were read, one more than `limit` when there are as many: that one says that the list goes on.
    pub fn cut<P>(mut rows: Vec<T>, part: &Part<P>, limit: i64) -> Self {
        let more = rows.len() as i64 > limit;
        rows.truncate(limit.max(0) as usize);
        let (has_previous, has_next) = match part {
            Part::First => (false, more),
            Part::After(_) => (true, more),
            Part::Before(_) => {
                rows.reverse();
                (more, true)
            }
        };
        Slice {
            rows,
            has_previous,
            has_next,
        }
    }
}

/// The part of a query beyond a place, if there is one, in the order by a column and then the id; towards its beginning when `$upwards`.
/// The column alone is a bound of its own: with it both databases begin to read the index at the place.
macro_rules! beyond {
    ($query:expr, $column:expr, $id:expr, $place:expr, $upwards:expr) => {{
        let query = match ($place, $upwards) {
            (Some((bound, beside)), true) => $query.filter(
                $column
                    .ge(bound.clone())
                    .and($column.gt(bound).or($id.gt(beside))),
            ),
            (Some((bound, beside)), false) => $query.filter(
                $column
                    .le(bound.clone())
                    .and($column.lt(bound).or($id.lt(beside))),
            ),
            (None, _) => $query,
        };
        if $upwards {
            query.order(($column.asc(), $id.asc()))
        } else {
            query.order(($column.desc(), $id.desc()))
        }
    }};
}
pub(in crate::db) use beyond;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_says_on_which_sides_the_list_goes_on() {
        let of = |rows: Vec<i32>, part| {
            let slice = Slice::cut::<()>(rows, &part, 2);
            (slice.rows, slice.has_previous, slice.has_next)
        };
        assert_eq!(of(vec![1, 2, 3], Part::First), (vec![1, 2], false, true));
        assert_eq!(of(vec![1, 2], Part::First), (vec![1, 2], false, false));
        assert_eq!(of(vec![3], Part::After(())), (vec![3], true, false));
        assert_eq!(of(vec![5, 4, 3], Part::Before(())), (vec![4, 5], true, true));
        assert_eq!(of(vec![1], Part::Before(())), (vec![1], false, true));
    }
}
