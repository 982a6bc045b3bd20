//! What the page shows: the state in words, and buttons that each hold one change.

use askama::Template;
use tympan_http::Form;

use super::words::Words;
use crate::model::{AnswerFault, AnswerKind, Change, DropLine, Lie, MarkerChange, Power, TrayChange};
use crate::state::{DeviceState, Side};

/// A button: pressing it does `change`.
pub(super) struct Button {
    pub(super) label: String,
    /// JSON of a [`Change`].
    pub(super) change: String,
    /// Whether it is on; pressing it switches it off.
    pub(super) on: bool,
}

impl Button {
    fn new(label: impl Into<String>, change: &Change, on: bool) -> Self {
        let change = serde_json::to_string(change).unwrap_or_default();
        Self { label: label.into(), change, on }
    }
}

/// A tray or a cartridge.
pub(super) struct Level {
    pub(super) label: String,
    pub(super) detail: String,
    pub(super) class: String,
    pub(super) level: u32,
    pub(super) level_max: u32,
    pub(super) buttons: Vec<Button>,
}

/// A page side that came out.
pub(super) struct Picture {
    pub(super) file: String,
    pub(super) title: String,
    pub(super) detail: String,
}

/// A job.
pub(super) struct JobLine {
    pub(super) id: i32,
    pub(super) name: String,
    pub(super) state: &'static str,
    pub(super) detail: String,
}

/// The page.
#[derive(Template)]
#[template(path = "printer.html")]
pub(super) struct Page<'a> {
    w: &'static Words,
    state: &'a DeviceState,
    badge: &'static str,
    badge_class: &'static str,
    message: String,
    main: Vec<Button>,
    trays: Vec<Level>,
    markers: Vec<Level>,
    faults: Vec<(&'static str, Vec<Button>)>,
    lies: Vec<Button>,
    pictures: Vec<Picture>,
    jobs: Vec<JobLine>,
}

impl<'a> Page<'a> {
    pub(super) fn new(state: &'a DeviceState, w: &'static Words) -> Self {
        let (badge, badge_class) = match (state.power, state.state.as_str()) {
            (Power::Off, _) => (w.off, "off"),
            (_, "stopped") => (w.stopped, "stopped"),
            (_, "processing") => (w.printing, "printing"),
            _ => (w.ready, "ready"),
        };
        let is_on = state.power == Power::On;
        let power = if is_on { Power::Off } else { Power::On };
        let power_label = if is_on { w.switch_off } else { w.switch_on };
        Self {
            w,
            badge,
            badge_class,
            message: message(state, w),
            main: vec![
                Button::new(power_label, &Change::power(power), false),
                Button::new(w.mend, &Change::mend(), false),
            ],
            trays: trays(state, w),
            markers: markers(state, w),
            faults: faults(state, w),
            lies: lies(state, w),
            pictures: pictures(state, w),
            jobs: jobs(state, w),
            state,
        }
    }
}

fn message(state: &DeviceState, w: &Words) -> String {
    let mut parts = Vec::new();
    parts.extend(state.identify.clone());
    if state.faults.cover_open {
        parts.push(w.cover_is_open.to_owned());
    }
    if state.faults.jammed {
        parts.push(w.is_jammed.to_owned());
    }
    for tray in state.trays.iter().filter(|t| t.sheets == 0) {
        parts.push(w.has_no.replacen("{}", &w.tray_label(&tray.name, &tray.label), 1).replacen(
            "{}",
            &tray.media_label,
            1,
        ));
    }
    for marker in state.markers.iter().filter(|m| m.percent == 0) {
        parts.push(w.is_empty.replacen("{}", w.color(&marker.color), 1));
    }
    parts.join(" ")
}

fn trays(state: &DeviceState, w: &Words) -> Vec<Level> {
    let level = |tray: &crate::state::TrayInfo| Level {
        label: w.tray_label(&tray.name, &tray.label),
        detail: format!("{} · {} / {} {}", tray.media_label, tray.sheets, tray.capacity, w.sheets),
        class: "paper".to_owned(),
        level: tray.sheets,
        level_max: tray.capacity,
        buttons: vec![
            Button::new(w.take_paper, &Change::sheets(&tray.name, 0), tray.sheets == 0),
            Button::new(w.load_paper, &Change::sheets(&tray.name, tray.capacity), false),
        ],
    };
    state.trays.iter().map(level).collect()
}

fn markers(state: &DeviceState, w: &Words) -> Vec<Level> {
    let set = |color: &str, percent| Change {
        markers: [(color.to_owned(), MarkerChange(percent))].into(),
        ..Change::default()
    };
    let level = |marker: &crate::state::MarkerInfo| Level {
        label: w.color(&marker.color).to_owned(),
        detail: format!("{} %", marker.percent),
        class: marker.color.clone(),
        level: marker.percent,
        level_max: 100,
        buttons: vec![
            Button::new(w.empty_toner, &set(&marker.color, 0), marker.percent == 0),
            Button::new(w.new_toner, &set(&marker.color, 100), false),
        ],
    };
    state.markers.iter().map(level).collect()
}

fn faults(state: &DeviceState, w: &Words) -> Vec<(&'static str, Vec<Button>)> {
    let f = &state.faults;
    let flag = |on, label_on, label_off, change: fn(bool) -> Change| {
        vec![Button::new(if on { label_off } else { label_on }, &change(!on), on)]
    };
    let slow = f.slow_page_millis.is_some();
    let slow_change = Change { slow_page_millis: Some((!slow).then_some(5_000)), ..Change::default() };
    vec![
        (
            w.cover,
            flag(f.cover_open, w.open_cover, w.close_cover, |on| Change { cover_open: Some(on), ..Change::default() }),
        ),
        (w.jam, flag(f.jammed, w.jam_now, w.clear_jam, |on| Change { jammed: Some(on), ..Change::default() })),
        (w.slow, vec![Button::new(if slow { w.slow_off } else { w.slow_on }, &slow_change, slow)]),
        (w.busy, flag(f.busy, w.busy_on, w.busy_off, |on| Change { busy: Some(on), ..Change::default() })),
        (
            w.accepting,
            flag(f.not_accepting, w.accepting_off, w.accepting_on, |on| Change {
                not_accepting: Some(on),
                ..Change::default()
            }),
        ),
    ]
}

fn lies(state: &DeviceState, w: &Words) -> Vec<Button> {
    let f = &state.faults;
    let mut buttons = vec![Button::new(
        w.forget,
        &Change { forget_after_print: Some(!f.forget_after_print), ..Change::default() },
        f.forget_after_print,
    )];
    for (label, lie) in [(w.completed_unprinted, Lie::CompletedUnprinted), (w.never_completed, Lie::NeverCompleted)] {
        let on = f.lie == Some(lie);
        buttons.push(Button::new(label, &Change { lie: Some((!on).then_some(lie)), ..Change::default() }, on));
    }
    for (label, kind) in [
        (w.half, AnswerKind::Half),
        (w.endless, AnswerKind::Endless),
        (w.nonsense, AnswerKind::Nonsense),
        (w.never, AnswerKind::Never),
    ] {
        let on = f.answer.as_ref().is_some_and(|a| a.kind == kind);
        let answer = (!on).then(|| AnswerFault { kind, operations: Vec::new(), times: None });
        buttons.push(Button::new(label, &Change { answer: Some(answer), ..Change::default() }, on));
    }
    buttons
}

fn pictures(state: &DeviceState, w: &Words) -> Vec<Picture> {
    let picture = |page: &crate::state::PrintedPage| Picture {
        file: page.file.clone(),
        title: page.job_name.clone(),
        detail: format!(
            "#{} · {} · {} {}",
            page.job_id,
            page.impression,
            page.media_label,
            if page.side == Side::Back { w.back } else { w.front }
        ),
    };
    state.pages.iter().take(24).map(picture).collect()
}

fn jobs(state: &DeviceState, w: &Words) -> Vec<JobLine> {
    let line = |job: &crate::state::JobInfo| JobLine {
        id: job.id,
        name: job.name.clone(),
        state: w.state(&job.state),
        detail: match job.impressions {
            Some(all) => format!("{} / {all}", job.impressions_completed),
            None => job.impressions_completed.to_string(),
        },
    };
    state.jobs.iter().take(12).map(line).collect()
}

/// Reads the form of a button, or of a number that somebody typed.
pub(super) fn change_of_form(form: &Form) -> Result<Change, String> {
    let number = |name: &str| form.get(name).map(|text| text.trim().parse::<u64>());
    if let Some(page) = number("jam_at_page") {
        let page = page.ok().and_then(|n| u32::try_from(n).ok()).ok_or("The page must be a number.")?;
        return Ok(Change { jam_at_page: Some(Some(page)), ..Change::default() });
    }
    if let Some(at_octet) = number("drop_line_at_octet") {
        let at_octet = at_octet.map_err(|_| "The octet must be a number.")?;
        return Ok(Change { drop_line: Some(Some(DropLine { at_octet, times: Some(1) })), ..Change::default() });
    }
    if let (Some(tray), Some(media)) = (form.get("tray"), form.get("media")) {
        let change = TrayChange { media: Some(media.to_owned()), sheets: None };
        return Ok(Change { trays: [(tray.to_owned(), change)].into(), ..Change::default() });
    }
    let change = form.get("change").ok_or("The form has no field \"change\".")?;
    serde_json::from_str(change).map_err(|error| format!("The change is not understood: {error}"))
}
