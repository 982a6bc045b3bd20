//! Mistakes that are made on purpose, to see that the model notices them.

/// One mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mutant {
    /// When the line breaks, the output says that nothing was sent: the job is printed again by itself.
    RepeatsAfterLoss,
    /// A job that the printer forgot counts as aborted without a sheet.
    TakesForgottenForAborted,
    /// What was acknowledged is not on disk: a crash loses the last commits.
    LosesCommits,
    /// A reprint after doubt comes out without its mark.
    PrintsWithoutMark,
    /// Documents of ended jobs stay.
    KeepsDocuments,
    /// The newest job goes first.
    TurnsTheLineAround,
    /// Nobody writes down that a sender was told.
    ForgetsWhomItTold,
    /// A cancel is acknowledged and not written down.
    IgnoresCancels,
}

impl Mutant {
    pub(super) const ALL: [Self; 8] = [
        Self::RepeatsAfterLoss,
        Self::TakesForgottenForAborted,
        Self::LosesCommits,
        Self::PrintsWithoutMark,
        Self::KeepsDocuments,
        Self::TurnsTheLineAround,
        Self::ForgetsWhomItTold,
        Self::IgnoresCancels,
    ];
}

impl Mutant {
    /// Whether what was noticed is what the mistake does.
    pub(super) fn is_named_in(self, broken: &str) -> bool {
        let words: &[&str] = match self {
            Self::RepeatsAfterLoss | Self::TakesForgottenForAborted => &["printed twice"],
            Self::LosesCommits => {
                &["is gone", "is not what was written", "became two jobs", "came out", "printed twice"]
            }
            Self::PrintsWithoutMark => &["without a mark", "no sheet says so", "came out"],
            Self::KeepsDocuments => &["was not deleted"],
            Self::TurnsTheLineAround => &["went before"],
            Self::ForgetsWhomItTold => &["told twice"],
            Self::IgnoresCancels => &["it was cancelled", "is not what was written"],
        };
        words.iter().any(|word| broken.contains(word))
    }
}
