//! The console and its table of routes.

use crate::ask::Routes as _;
use crate::clock::Clock;
use crate::limiter::Limiter;
use crate::options::{ConsoleError, ConsoleOptions};
use crate::pairings::Pairings;
use crate::policy::{LinkKind, Place, Policy};
use crate::set_up::SetUp;
use crate::{Passwords, account, api, pages};
use jiff::tz::TimeZone;
use std::sync::Arc;
use tympan_engine::{Account, Language, Right};
use tympan_http::security::FormTokens;
use tympan_http::{Asset, Assets, Method, Parts, Peer, Router};
use tympan_spooler::Spooler;
use tympan_store::Whose;

/// Files that are part of the program.
const FILES: &[Asset] = &[
    Asset {
        name: "console.css",
        media_type: "text/css; charset=utf-8",
        octets: include_bytes!("../assets/console.css"),
    },
    Asset {
        name: "upload.js",
        media_type: "text/javascript; charset=utf-8",
        octets: include_bytes!("../assets/upload.js"),
    },
    Asset {
        name: "console.js",
        media_type: "text/javascript; charset=utf-8",
        octets: include_bytes!("../assets/console.js"),
    },
    Asset { name: "icon.svg", media_type: "image/svg+xml", octets: include_bytes!("../assets/icon.svg") },
];

/// The pages and the API of one server: the state that all routes share.
pub struct Console {
    pub(crate) options: ConsoleOptions,
    pub(crate) zone: TimeZone,
    pub(crate) assets: Assets,
    pub(crate) forms: FormTokens,
    pub(crate) limiter: Limiter,
    pub(crate) passwords: Passwords,
    pub(crate) set_up: SetUp,
    pub(crate) pairings: Pairings,
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console").field("base_url", &self.options.base_url).finish_non_exhaustive()
    }
}

impl Console {
    /// Makes a console; where there is no account yet, with a one-time code for the set-up page.
    ///
    /// # Errors
    /// For a time zone that does not exist, and where the accounts cannot be read.
    pub async fn new(options: ConsoleOptions) -> Result<Arc<Self>, ConsoleError> {
        let zone = match &options.time_zone {
            Some(name) => TimeZone::get(name).map_err(|_| ConsoleError::TimeZone(name.clone()))?,
            None => TimeZone::system(),
        };
        let spooler = options.spooler.clone();
        let accounts = spooler.records().accounts(Whose::Owner(options.owner)).await;
        let accounts = accounts.map_err(|error| ConsoleError::Accounts(error.into()))?;
        // Accounts that only print are kept by the configuration; somebody must own the place.
        let owned = accounts.iter().any(|row| row.record.right == Right::Own && row.record.password_hash.is_some());
        let key: [u8; 32] = spooler.random();
        Ok(Arc::new(Self {
            set_up: SetUp::new(&spooler, options.set_up && !owned),
            zone,
            assets: Assets::new("/assets", FILES),
            forms: FormTokens::new(&key),
            limiter: Limiter::default(),
            passwords: Passwords::default(),
            pairings: Pairings::default(),
            options,
        }))
    }

    /// The one-time code for the set-up page, to be shown in the terminal; `None` once there is an account.
    pub fn set_up_code(&self) -> Option<String> {
        self.set_up.shown()
    }

    /// The address of the set-up page with its code; `None` once there is an account.
    pub fn set_up_url(&self) -> Option<String> {
        Some(format!("{}/setup?code={}", self.options.base_url, self.set_up.shown()?))
    }

    /// Who is signed in by the cookie of a request, for doors beside the console.
    pub async fn signed_in(&self, parts: &Parts, peer: &Peer) -> Option<Account> {
        account::signed_in(self.spooler(), parts, peer).await
    }

    /// What hashes passwords, for accounts that are kept elsewhere.
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    pub(crate) fn spooler(&self) -> &Spooler {
        &self.options.spooler
    }

    pub(crate) fn clock(&self, language: Language) -> Clock {
        Clock { zone: self.zone.clone(), now: self.spooler().now(), language }
    }

    /// The address that a mail for this printer goes to.
    pub(crate) fn mail_address(&self, printer: &str) -> String {
        match self.options.constant_address.as_deref() {
            Some(address) if address.contains('@') => address.to_owned(),
            Some(local) => self.options.address_of(local),
            None => self.options.address_of(printer),
        }
    }

    /// All routes, each with its policy. The program may add its own before it serves them.
    ///
    /// # Panics
    /// When two routes collide, which a test excludes.
    pub fn router(self: &Arc<Self>) -> Router<Self, Policy> {
        use LinkKind as L;
        use Place::{Anywhere, Job, Owner, Printer, Registration};
        use Policy::{Api, Link, Machine, Public, SetUp, SignedIn, Token};
        use Right::{Operate, Own, Print};
        let (get, post, patch, delete) = (Method::GET, Method::POST, Method::PATCH, Method::DELETE);
        let refuser = Arc::clone(self);
        Router::new(Arc::clone(self))
            .refusals(move |status, _| pages::refusal(&refuser, status))
            .route(Method::GET, "/assets/{name}", Public, pages::asset)
            .page("/favicon.ico", Public, pages::favicon)
            // Who is who.
            .page("/setup", SetUp, pages::sign::set_up_page)
            .key("/setup", SetUp, pages::sign::set_up)
            .page("/sign-in", Public, pages::sign::sign_in_page)
            .key("/sign-in", Public, pages::sign::sign_in)
            .key("/sign-out", SignedIn(Print, Anywhere), pages::sign::sign_out)
            .page("/account", SignedIn(Print, Anywhere), pages::account::page)
            .key("/account/password", SignedIn(Print, Anywhere), pages::account::password)
            .key("/account/language", SignedIn(Print, Anywhere), pages::account::language)
            .key("/people", SignedIn(Own, Owner), pages::account::add_person)
            .key("/people/remove", SignedIn(Own, Owner), pages::account::remove_person)
            // Machines that bring printers.
            .page("/.well-known/oauth-authorization-server", Machine, pages::pair::metadata)
            .machine("/oauth/device_authorization", pages::pair::authorize)
            .machine("/oauth/token", pages::pair::token)
            .page("/pair", SignedIn(Own, Owner), pages::pair::page)
            .key("/pair", SignedIn(Own, Owner), pages::pair::decide)
            // Printers.
            .page("/", SignedIn(Print, Anywhere), pages::home::page)
            .page("/events", SignedIn(Print, Anywhere), api::events::page)
            .page("/add-printer", SignedIn(Own, Owner), pages::add_printer::page)
            .key("/add-printer", SignedIn(Own, Owner), pages::add_printer::ask)
            .key("/add-printer/save", SignedIn(Own, Owner), pages::add_printer::save)
            .page("/printers/{printer}", SignedIn(Print, Printer(1)), pages::printer::page)
            .key("/printers/{printer}/pause", SignedIn(Operate, Printer(1)), pages::printer::pause)
            .key("/printers/{printer}/resume", SignedIn(Operate, Printer(1)), pages::printer::resume)
            .key("/printers/{printer}/try", SignedIn(Operate, Printer(1)), pages::printer::try_now)
            .key("/printers/{printer}/test", SignedIn(Operate, Printer(1)), pages::printer::test_page)
            .page("/printers/{printer}/print", SignedIn(Print, Printer(1)), pages::upload::page)
            .page("/printers/{printer}/settings", SignedIn(Own, Printer(1)), pages::settings::page)
            .key("/printers/{printer}/settings", SignedIn(Own, Printer(1)), pages::settings::save)
            .key("/printers/{printer}/token", SignedIn(Own, Printer(1)), pages::settings::token)
            .key("/printers/{printer}/remove", SignedIn(Own, Printer(1)), pages::settings::remove)
            .key("/printers/{printer}/registrations", SignedIn(Own, Printer(1)), pages::registrations::add)
            // Jobs.
            .page("/jobs", SignedIn(Print, Anywhere), pages::jobs::page)
            .page("/jobs/{job}", SignedIn(Print, Job(1)), pages::job::page)
            .key("/jobs/{job}/{verb}", SignedIn(Print, Job(1)), pages::job::act)
            .page("/j/{token}", Link(L::Job), pages::job::page)
            .key("/j/{token}/{verb}", Link(L::Job), pages::job::act)
            // Who may print.
            .page("/registrations", SignedIn(Print, Anywhere), pages::registrations::page)
            .page("/registrations/{registration}", SignedIn(Print, Registration(1)), pages::registrations::one)
            .key("/registrations/{registration}", SignedIn(Print, Registration(1)), pages::registrations::save)
            .key("/registrations/{registration}/leave", SignedIn(Print, Registration(1)), pages::registrations::leave)
            .key("/registrations/{registration}/approve", SignedIn(Own, Registration(1)), pages::registrations::approve)
            .key("/registrations/{registration}/revoke", SignedIn(Own, Registration(1)), pages::registrations::revoke)
            .page("/r/{token}", Link(L::Registration), pages::registrations::one)
            .key("/r/{token}", Link(L::Registration), pages::registrations::save)
            .key("/r/{token}/leave", Link(L::Registration), pages::registrations::leave)
            .page("/register", Public, pages::register::choose)
            .page("/register/{printer}", Public, pages::register::page)
            .key("/register/{printer}", Public, pages::register::register)
            .page("/notices", SignedIn(Print, Anywhere), pages::notices::page)
            // The JSON API.
            .api(get.clone(), "/printers", Api(Print, Anywhere), api::printers::list)
            .api(post.clone(), "/printers", Api(Own, Owner), api::printers::add)
            .api(get.clone(), "/printers/{printer}", Api(Print, Printer(3)), api::printers::get)
            .api(patch.clone(), "/printers/{printer}", Api(Own, Printer(3)), api::printers::patch)
            .api(delete, "/printers/{printer}", Api(Own, Printer(3)), api::printers::remove)
            .api(post.clone(), "/printers/{printer}/pause", Api(Operate, Printer(3)), api::printers::pause)
            .api(post.clone(), "/printers/{printer}/resume", Api(Operate, Printer(3)), api::printers::resume)
            .api(post.clone(), "/printers/{printer}/try", Api(Operate, Printer(3)), api::printers::try_now)
            .api(post.clone(), "/printers/{printer}/test", Api(Operate, Printer(3)), api::printers::test)
            .api(post.clone(), "/printers/{printer}/token", Api(Own, Printer(3)), api::printers::token)
            .api(get.clone(), "/jobs", Api(Print, Anywhere), api::jobs::list)
            .api(get.clone(), "/jobs/{job}", Api(Print, Job(3)), api::jobs::get)
            .api(get.clone(), "/jobs/{job}/why", Api(Print, Job(3)), api::jobs::why)
            .api(post.clone(), "/jobs/{job}/cancel", Api(Print, Job(3)), api::jobs::cancel)
            .api(post.clone(), "/jobs/{job}/hold", Api(Print, Job(3)), api::jobs::hold)
            .api(post.clone(), "/jobs/{job}/release", Api(Print, Job(3)), api::jobs::release)
            .api(post.clone(), "/jobs/{job}/reprint", Api(Print, Job(3)), api::jobs::reprint)
            .api(post.clone(), "/jobs/{job}/decide", Api(Print, Job(3)), api::jobs::decide)
            .api(post.clone(), "/jobs/{job}/keep", Api(Print, Job(3)), api::jobs::keep)
            .api(get.clone(), "/registrations", Api(Print, Anywhere), api::registrations::list)
            .api(post.clone(), "/registrations", Api(Own, Anywhere), api::registrations::add)
            .api(patch, "/registrations/{registration}", Api(Print, Registration(3)), api::registrations::patch)
            .api(
                post.clone(),
                "/registrations/{registration}/approve",
                Api(Own, Registration(3)),
                api::registrations::approve,
            )
            .api(
                post.clone(),
                "/registrations/{registration}/revoke",
                Api(Own, Registration(3)),
                api::registrations::revoke,
            )
            .api(post.clone(), "/admin/reset-password", Token, api::admin::reset_password)
            .api(post.clone(), "/admin/token", Token, api::admin::token)
            .api(get.clone(), "/admin/tokens", Token, api::admin::tokens)
            .api(post, "/admin/tokens/{id}/revoke", Token, api::admin::revoke)
            .api(get.clone(), "/events", Api(Print, Anywhere), api::events::api)
            .api(get, "/openapi.json", Public, api::description)
    }
}
