use super::*;
use tympan_raster::sheet_back::Sides;

fn printer() -> Model {
    let trays = vec![Tray::full("tray-1", Media::a4(), 250), Tray::full("tray-2", Media::a5(), 100)];
    let markers = MarkerColor::CMYK.map(|c| Marker::full(c, false)).to_vec();
    Model::new(trays, markers, 0, 1)
}

fn document() -> Document {
    let file = std::sync::Arc::new(tempfile::tempfile().unwrap());
    Document { file, octets: 10, format: None, name: None, cut: false }
}

fn job(model: &mut Model, ticket: Ticket) -> i32 {
    let id = model.create_job(ticket, 1).unwrap();
    model.begin_document(id).unwrap();
    model.end_document(id, document()).unwrap();
    model.close_job(id, 1).unwrap();
    id
}

const NOTHING: Coverage = Coverage { cyan: 0, magenta: 0, yellow: 0, black: 0 };
const FRONT: PageNeed = PageNeed { size: MediaSize { x: 21_000, y: 29_700 }, is_back: false, coverage: NOTHING };

fn json(text: &str) -> Change {
    serde_json::from_str(text).unwrap()
}

#[test]
fn an_idle_printer_has_no_reasons() {
    let model = printer();
    assert_eq!((model.state(), model.reasons()), (PrinterState::Idle, vec!["none".to_owned()]));
    assert_eq!(model.message(), "Ready.");
}

#[test]
fn every_fault_of_paper_and_toner_has_its_reason() {
    for (change, state, reasons) in [
        (r#"{"cover_open":true}"#, PrinterState::Stopped, vec!["cover-open-error"]),
        (r#"{"jammed":true}"#, PrinterState::Stopped, vec!["media-jam-error"]),
        (r#"{"markers":{"cyan":0}}"#, PrinterState::Idle, vec!["marker-supply-empty-warning"]),
        (r#"{"markers":{"black":0}}"#, PrinterState::Stopped, vec!["marker-supply-empty-error"]),
        (r#"{"markers":{"cyan":10}}"#, PrinterState::Idle, vec!["marker-supply-low-warning"]),
        (r#"{"trays":{"tray-1":{"sheets":0}}}"#, PrinterState::Idle, vec!["media-empty-warning"]),
        (r#"{"trays":{"tray-1":{"sheets":25}}}"#, PrinterState::Idle, vec!["media-low-warning"]),
        (
            r#"{"trays":{"tray-1":{"sheets":0},"tray-2":{"sheets":0}}}"#,
            PrinterState::Stopped,
            vec!["media-empty-error"],
        ),
    ] {
        let mut model = printer();
        model.apply(&json(change), 5).unwrap();
        assert_eq!(
            (model.state(), model.reasons()),
            (state, reasons.iter().map(|r| (*r).to_owned()).collect()),
            "{change}"
        );
        model.apply(&Change::mend(), 6).unwrap();
        assert_eq!(model.reasons(), ["none"]);
    }
}

#[test]
fn a_job_waits_for_its_paper_and_goes_on_when_it_is_there() {
    let mut model = printer();
    model.apply(&Change::sheets("tray-1", 1), 1).unwrap();
    let id = job(&mut model, Ticket::default());
    assert_eq!(model.start_next_job(2), Some(id));
    let gate = model.begin_page(id, 1, FRONT);
    assert_eq!(gate, Gate::Print { tray: 0, millis: 0 });
    model.page_printed(id, 0, FRONT);
    assert_eq!(model.begin_page(id, 2, FRONT), Gate::Stopped);
    assert_eq!(model.jobs[&id].state, JobState::ProcessingStopped);
    assert_eq!(model.jobs[&id].reasons(model.is_stopped()), ["printer-stopped"]);
    assert_eq!(model.reasons()[..2], ["media-needed-error".to_owned(), "media-empty-error".to_owned()]);
    assert_eq!(model.message(), "Load A4. Tray 1 has no A4.");
    model.apply(&Change::sheets("tray-1", 900), 3).unwrap();
    assert_eq!(model.trays[0].sheets, 250, "a tray takes what it holds");
    assert_eq!(model.begin_page(id, 2, FRONT), Gate::Print { tray: 0, millis: 0 });
    assert_eq!(model.reasons(), ["none"]);
    model.page_printed(id, 0, FRONT);
    model.finish_job(id, Outcome::Printed, 9);
    let job = &model.jobs[&id];
    assert_eq!((job.state, job.impressions_completed, job.sheets_completed), (JobState::Completed, 2, 2));
    assert!(job.document.is_none(), "a finished job keeps no document");
}

#[test]
fn a_jam_comes_at_its_page_loses_the_sheet_and_is_mended() {
    let mut model = printer();
    model.apply(&json(r#"{"jam_at_page":2}"#), 1).unwrap();
    let id = job(&mut model, Ticket::default());
    model.start_next_job(2);
    assert!(matches!(model.begin_page(id, 1, FRONT), Gate::Print { .. }));
    model.page_printed(id, 0, FRONT);
    assert_eq!(model.begin_page(id, 2, FRONT), Gate::Stopped);
    assert_eq!((model.reasons(), model.trays[0].sheets), (vec!["media-jam-error".to_owned()], 248));
    assert_eq!(model.begin_page(id, 2, FRONT), Gate::Stopped, "asking again changes nothing");
    assert_eq!(model.trays[0].sheets, 248);
    model.apply(&json(r#"{"jammed":false}"#), 3).unwrap();
    assert!(matches!(model.begin_page(id, 2, FRONT), Gate::Print { .. }));
}

#[test]
fn back_sides_take_no_sheet() {
    let mut model = printer();
    model.apply(&Change::sheets("tray-1", 1), 1).unwrap();
    let id = job(&mut model, Ticket { sides: Sides::TwoSidedLongEdge, ..Ticket::default() });
    model.start_next_job(2);
    let back = PageNeed { is_back: true, ..FRONT };
    for (n, need) in [(1, FRONT), (2, back)] {
        let Gate::Print { tray, .. } = model.begin_page(id, n, need) else { panic!("side {n} must print") };
        model.page_printed(id, tray, need);
    }
    assert_eq!((model.trays[0].sheets, model.sheets, model.impressions), (0, 1, 2));
    assert_eq!(model.jobs[&id].sheets_completed, 1);
}

#[test]
fn a_source_that_is_asked_for_is_the_only_one() {
    let mut model = printer();
    model.apply(&json(r#"{"trays":{"tray-2":{"media":"iso_a4_210x297mm"}}}"#), 1).unwrap();
    let id = job(&mut model, Ticket { media_source: Some("tray-2".into()), ..Ticket::default() });
    model.start_next_job(2);
    assert_eq!(model.begin_page(id, 1, FRONT), Gate::Print { tray: 1, millis: 0 });
}

#[test]
fn speed_and_slowness_tell_how_long_a_page_takes() {
    let mut model = printer();
    let id = job(&mut model, Ticket::default());
    model.start_next_job(2);
    for (change, millis) in [
        (r#"{"pages_per_minute":30}"#, 2_000),
        (r#"{"slow_page_millis":9000}"#, 9_000),
        (r#"{"slow_page_millis":null}"#, 2_000),
    ] {
        model.apply(&json(change), 1).unwrap();
        assert_eq!(model.begin_page(id, 1, FRONT), Gate::Print { tray: 0, millis });
    }
}

#[test]
fn off_forgets_the_jobs_and_on_begins_anew() {
    let mut model = printer();
    let id = job(&mut model, Ticket::default());
    model.start_next_job(2);
    model.apply(&Change::power(Power::Off), 10).unwrap();
    assert!(model.jobs.is_empty());
    assert_eq!(model.begin_page(id, 1, FRONT), Gate::Gone);
    assert_eq!(model.start_next_job(11), None);
    model.apply(&Change::power(Power::On), 20).unwrap();
    assert_eq!((model.powered_on_at, model.power_cycle), (20, 2));
    let next = model.create_job(Ticket::default(), 21).unwrap();
    assert!(next > id, "numbers are not used twice");
}

#[test]
fn a_printed_job_is_forgotten_when_told_so() {
    let mut model = printer();
    model.apply(&json(r#"{"forget_after_print":true}"#), 1).unwrap();
    let id = job(&mut model, Ticket::default());
    model.start_next_job(2);
    model.finish_job(id, Outcome::Printed, 3);
    assert!(!model.jobs.contains_key(&id));
}

#[test]
fn a_job_that_never_completes_completes_when_the_lie_ends() {
    let mut model = printer();
    model.apply(&json(r#"{"lie":"never-completed"}"#), 1).unwrap();
    let id = job(&mut model, Ticket::default());
    model.start_next_job(2);
    model.finish_job(id, Outcome::Printed, 3);
    assert_eq!(model.jobs[&id].state, JobState::Processing);
    assert_eq!(model.state(), PrinterState::Idle, "the next job may print");
    model.apply(&json(r#"{"busy":true}"#), 4).unwrap();
    assert_eq!(model.jobs[&id].state, JobState::Processing, "another change does not end the lie");
    model.apply(&json(r#"{"lie":null}"#), 4).unwrap();
    assert_eq!(model.jobs[&id].state, JobState::Completed);
}

#[test]
fn canceling_follows_the_table_of_rfc_8011() {
    let mut model = printer();
    let (first, second) = (job(&mut model, Ticket::default()), job(&mut model, Ticket::default()));
    model.start_next_job(2);
    assert_eq!(model.cancel_job(second, 3), Ok(()));
    assert_eq!(model.jobs[&second].state, JobState::Canceled);
    assert_eq!(model.cancel_job(first, 3), Ok(()));
    assert_eq!(model.jobs[&first].reasons(false), ["job-printing", "processing-to-stop-point"]);
    assert_eq!(model.cancel_job(first, 3), Err(JobFault::NotPossible));
    assert_eq!(model.begin_page(first, 1, FRONT), Gate::Canceled);
    model.finish_job(first, Outcome::Printed, 4);
    assert_eq!(model.jobs[&first].state, JobState::Canceled);
    assert_eq!(model.cancel_job(first, 5), Err(JobFault::NotPossible));
    assert_eq!(model.cancel_job(99, 5), Err(JobFault::NotFound));
}

#[test]
fn an_open_job_takes_one_document_and_ends_in_time() {
    let mut model = printer();
    let id = model.create_job(Ticket::default(), 100).unwrap();
    assert_eq!(model.jobs[&id].reasons(false), ["job-incoming", "job-data-insufficient"]);
    model.expire_open_jobs(60_000, 60_099);
    assert_eq!(model.jobs[&id].state, JobState::Pending);
    model.begin_document(id).unwrap();
    assert_eq!(model.begin_document(id), Err(JobFault::SingleDocument));
    model.end_document(id, document()).unwrap();
    assert_eq!(model.begin_document(id), Err(JobFault::SingleDocument));
    model.close_job(id, 101).unwrap();
    assert_eq!(model.begin_document(id), Err(JobFault::NotPossible));
    let forgotten = model.create_job(Ticket::default(), 100).unwrap();
    model.expire_open_jobs(60_000, 60_100);
    assert_eq!(model.jobs[&forgotten].state, JobState::Aborted);
    let empty = model.create_job(Ticket::default(), 100).unwrap();
    model.close_job(empty, 101).unwrap();
    assert_eq!(model.jobs[&empty].state, JobState::Completed);
}

#[test]
fn a_bad_change_changes_nothing() {
    for (change, want) in [
        (
            r#"{"busy":true,"trays":{"tray-9":{"sheets":0}}}"#,
            "there is no tray \"tray-9\"; this printer has tray-1, tray-2",
        ),
        (
            r#"{"busy":true,"markers":{"pink":0}}"#,
            "there is no toner \"pink\"; this printer has cyan, magenta, yellow, black",
        ),
        (
            r#"{"busy":true,"trays":{"tray-1":{"media":"A4"}}}"#,
            "\"A4\" is no name of paper; use one like iso_a4_210x297mm",
        ),
        (r#"{"busy":true,"jam_at_page":0}"#, "pages are counted from 1"),
        (
            r#"{"busy":true,"answer":{"kind":"half","operations":["Print"]}}"#,
            "\"Print\" is no IPP operation; use a name like Send-Document",
        ),
    ] {
        let mut model = printer();
        assert_eq!(model.apply(&json(change), 1).unwrap_err().to_string(), want);
        assert!(!model.faults.busy, "{change}");
    }
    assert!(serde_json::from_str::<Change>(r#"{"paper":0}"#).is_err(), "an unknown name is refused");
}

#[test]
fn only_so_many_finished_jobs_are_kept() {
    let mut model = printer();
    for n in 0..520 {
        let id = job(&mut model, Ticket::default());
        model.start_next_job(n);
        model.finish_job(id, Outcome::Printed, n);
    }
    assert_eq!((model.jobs.len(), *model.jobs.keys().next().unwrap()), (500, 21));
}

#[test]
fn an_empty_colour_stops_only_the_page_that_is_to_have_it() {
    let mut model = printer();
    model.apply(&json(r#"{"markers":{"cyan":0}}"#), 1).unwrap();
    let id = job(&mut model, Ticket::default());
    assert_eq!(model.start_next_job(2), Some(id));
    let black = PageNeed { coverage: Coverage { black: 1, ..NOTHING }, ..FRONT };
    assert!(matches!(model.begin_page(id, 1, black), Gate::Print { .. }));
    model.page_printed(id, 0, black);
    let blue = PageNeed { coverage: Coverage { cyan: 1, magenta: 1, ..NOTHING }, ..FRONT };
    assert_eq!(model.begin_page(id, 2, blue), Gate::Stopped);
    assert_eq!((model.state(), model.reasons()), (PrinterState::Stopped, vec!["marker-supply-empty-error".to_owned()]));
    model.apply(&json(r#"{"markers":{"cyan":100}}"#), 3).unwrap();
    assert!(matches!(model.begin_page(id, 2, blue), Gate::Print { .. }));
}
