//! Functions that the pinned engine refuses unless a setting says otherwise; it has no list of them.

/// By setting, each as the engine named it when the function was called (26.7).
const SWITCHED_OFF: &[(&str, &[&str])] = &[
    (
        "allow_deprecated_error_prone_window_functions",
        &["neighbor", "runningAccumulate", "runningDifference", "runningDifferenceStartingWithFirstValue"],
    ),
    ("allow_experimental_funnel_functions", &["sequenceNextNode"]),
    (
        "allow_experimental_time_series_aggregate_functions",
        &[
            "timeSeriesChangesToGrid",
            "timeSeriesDeltaToGrid",
            "timeSeriesDerivToGrid",
            "timeSeriesGroupArray",
            "timeSeriesIncreaseToGrid",
            "timeSeriesInstantDeltaToGrid",
            "timeSeriesInstantRateToGrid",
            "timeSeriesPredictLinearToGrid",
            "timeSeriesRateToGrid",
            "timeSeriesResampleToGridWithStaleness",
            "timeSeriesResetsToGrid",
        ],
    ),
];

/// The setting that a function needs.
pub(super) fn by(function: &str) -> Option<&'static str> {
    SWITCHED_OFF.iter().find(|(_, functions)| functions.contains(&function)).map(|(setting, _)| *setting)
}
