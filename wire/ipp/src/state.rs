//! States of jobs, documents and printers (RFC 8011 sections 5.3.7 and 5.4.11, PWG 5100.5).

use crate::value::Value;

macro_rules! state {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i32)]
        pub enum $type {
            $($(#[$variant_doc])* $variant = $number,)*
        }

        impl $type {
            /// Every state, in ascending order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The enum's registered name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The number on the wire.
            #[must_use]
            pub const fn number(self) -> i32 {
                self as i32
            }

            /// The state with this number.
            #[must_use]
            pub const fn from_number(number: i32) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The state with this registered name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|state| state.as_str() == name)
            }
        }

        impl core::fmt::Display for $type {
            fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                out.pad(self.as_str())
            }
        }

        impl From<$type> for i32 {
            fn from(state: $type) -> Self {
                state.number()
            }
        }

        impl From<$type> for Value {
            fn from(state: $type) -> Self {
                Self::Enum(state.number())
            }
        }
    };
}

state! {
    /// "job-state"
    JobState {
        /// Waits for its turn.
        Pending = 3 "pending",
        /// Waits for something to happen to it first.
        PendingHeld = 4 "pending-held",
        /// Is being worked on.
        Processing = 5 "processing",
        /// Was being worked on and stands still.
        ProcessingStopped = 6 "processing-stopped",
        /// Ended by a person.
        Canceled = 7 "canceled",
        /// Ended by the system.
        Aborted = 8 "aborted",
        /// Ended well, or with warnings or errors.
        Completed = 9 "completed",
    }
}

impl JobState {
    /// Whether the job has ended: canceled, aborted or completed.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Canceled | Self::Aborted | Self::Completed)
    }
}

state! {
    /// "printer-state"
    PrinterState {
        /// Nothing to do.
        Idle = 3 "idle",
        /// At work.
        Processing = 4 "processing",
        /// Somebody must help.
        Stopped = 5 "stopped",
    }
}

state! {
    /// "document-state" (PWG 5100.5)
    DocumentState {
        /// Waits for its turn.
        Pending = 3 "pending",
        /// Is being worked on.
        Processing = 5 "processing",
        /// Was being worked on and stands still.
        ProcessingStopped = 6 "processing-stopped",
        /// Ended by a person.
        Canceled = 7 "canceled",
        /// Ended by the system.
        Aborted = 8 "aborted",
        /// Ended well.
        Completed = 9 "completed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_the_registered_numbers_and_names() {
        for state in JobState::ALL {
            assert_eq!(JobState::from_number(state.number()), Some(*state));
            assert_eq!(JobState::from_name(state.as_str()), Some(*state));
        }
        assert_eq!(JobState::from_number(10), None);
        assert_eq!(DocumentState::from_number(4), None);
        assert_eq!(Value::from(PrinterState::Stopped), Value::Enum(5));
    }
}
