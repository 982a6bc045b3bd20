//! The shape of registered numbers: a newtype with one constant per registered name.
//!
//! A number without a name is carried as it is, so an unknown code survives decoding and encoding.

/// Adds the constants, the table and the conversions to a newtype `$type(pub $number)`.
macro_rules! codes {
    ($type:ident: $number:ty; $($constant:ident = $value:literal $name:literal,)*) => {
        #[allow(non_upper_case_globals)]
        impl $type {
            $(
                #[doc = concat!("`", $name, "`, ", stringify!($value), ".")]
                pub const $constant: Self = Self($value);
            )*

            /// All registered codes with their names, in ascending order.
            pub const ALL: &'static [(Self, &'static str)] = &[$((Self($value), $name),)*];

            /// The registered name, if the number has one.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                let at = Self::ALL.binary_search_by_key(&self.0, |entry| entry.0.0).ok()?;
                Some(Self::ALL[at].1)
            }

            /// The registered name, or "unknown".
            #[must_use]
            pub fn as_str(self) -> &'static str {
                self.name().unwrap_or("unknown")
            }

            /// The code of a registered name, whatever its case.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().find(|entry| entry.1.eq_ignore_ascii_case(name)).map(|entry| entry.0)
            }
        }

        impl From<$number> for $type {
            fn from(number: $number) -> Self {
                Self(number)
            }
        }

        impl From<$type> for $number {
            fn from(code: $type) -> Self {
                code.0
            }
        }

        impl core::fmt::Display for $type {
            fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.name() {
                    Some(name) => out.pad(name),
                    None => write!(out, "{:#0width$x}", self.0, width = 2 + 2 * size_of::<$number>()),
                }
            }
        }

        impl core::fmt::Debug for $type {
            fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(self, out)
            }
        }
    };
}

pub(crate) use codes;
