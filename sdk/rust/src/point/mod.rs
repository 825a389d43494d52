//! The nine points: a trait, the rows it reads and the answer it builds.

pub mod compensation;
pub mod connector;
pub mod crediting;
pub mod forecast;
pub mod insight;
pub mod kpi;
pub mod payout;
pub mod quota;
pub mod territory;

/// Columns of one table and a view of one row of them. Text is `Option<&str>`, also as a code by `<name>_text`;
/// numbers are `Option<i64>` at the scale given (money 4, rate 8, integer 0).
macro_rules! rows {
    (
        $(#[$doc:meta])* $columns:ident, $row:ident, $table:literal;
        text { $($text:ident = $text_name:literal),* $(,)? }
        numbers { $($number:ident = $number_name:literal : $scale:literal),* $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default)]
        pub struct $columns {
            len: usize,
            $(pub $text: $crate::TextColumn,)*
            $(pub $number: $crate::NumberColumn,)*
        }

        impl $columns {
            pub(crate) fn read(mut table: $crate::Table) -> Result<(Self, $crate::Table), String> {
                let columns = $columns {
                    len: table.row_count(),
                    $($text: table.take_texts($text_name)?,)*
                    $($number: table.take_numbers($number_name, $scale)?,)*
                };
                Ok((columns, table))
            }

            pub fn len(&self) -> usize {
                self.len
            }

            pub fn is_empty(&self) -> bool {
                self.len == 0
            }

            #[inline]
            pub fn row(&self, index: usize) -> $row<'_> {
                $row { columns: self, index }
            }

            #[inline]
            pub fn iter(&self) -> impl ExactSizeIterator<Item = $row<'_>> + Clone {
                (0..self.len).map(|index| $row { columns: self, index })
            }
        }

        #[doc = concat!("One row of `", $table, "`.")]
        #[derive(Debug, Clone, Copy)]
        pub struct $row<'a> {
            columns: &'a $columns,
            index: usize,
        }

        impl<'a> $row<'a> {
            #[inline]
            pub fn index(self) -> usize {
                self.index
            }

            $(
                #[doc = concat!("`", $text_name, "`; `None` for no value.")]
                #[inline]
                pub fn $text(self) -> Option<&'a str> {
                    self.columns.$text.get(self.index)
                }
            )*
            $(
                #[doc = concat!("`", $number_name, "`, an integer of 10^-", stringify!($scale), "; `None` for no value.")]
                #[inline]
                pub fn $number(self) -> Option<i64> {
                    self.columns.$number.get(self.index)
                }
            )*
        }
    };
}
pub(crate) use rows;
