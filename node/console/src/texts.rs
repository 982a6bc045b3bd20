//! What pages say, in both languages side by side. Places for values are `{0}`, `{1}`; the words of
//! `docs/glossary.md` are used. What a job waits for is said by the engine, the same in mail, page and command line.

macro_rules! texts {
    ($($key:ident: $en:literal, $ja:literal;)*) => {
        /// Every text, by its key.
        pub(crate) struct Texts {
            $(pub(crate) $key: &'static str,)*
        }

        /// English.
        pub(crate) static EN: Texts = Texts { $($key: $en,)* };

        /// Japanese.
        pub(crate) static JA: Texts = Texts { $($key: $ja,)* };

        #[cfg(test)]
        const ALL: &[(&str, &str, &str)] = &[$((stringify!($key), $en, $ja),)*];
    };
}

texts! {
    // The frame of each page.
    skip: "Skip to content", "本文へ";
    menu: "Menu", "メニュー";
    language: "Language", "言語";
    printers: "Printers", "プリンター";
    printer: "Printer", "プリンター";
    jobs: "Jobs", "ジョブ";
    who_may_print: "Who may print", "印刷できる人";
    who_short: "People", "印刷できる人";
    notices: "Notices", "お知らせ";
    account: "Account", "アカウント";
    sign_in: "Sign in", "サインイン";
    sign_out: "Sign out", "サインアウト";
    back: "Back", "戻る";
    save: "Save", "保存";
    leave_it: "Leave it", "やめる";
    show: "Show", "表示";
    saved: "Saved.", "保存しました。";

    // Set-up, sign-in, account.
    set_up_title: "Welcome to Tympan", "Tympan へようこそ";
    set_up_lead: "Nobody has signed in here yet. Make the first account; it owns this place.", "まだアカウントがありません。最初のアカウントを作成してください。このアカウントが管理者になります。";
    set_up_code: "One-time code", "ワンタイムコード";
    set_up_code_hint: "It stands in the terminal, or the log, in which the server was started.", "サーバーを起動した端末またはログに表示されています。";
    account_name: "Name", "名前";
    password: "Password", "パスワード";
    password_hint: "At least 10 characters. A few words are easier to keep in mind than signs.", "10文字以上。記号より、いくつかの言葉を並べるほうが覚えやすくなります。";
    password_again: "Password again", "パスワード（確認）";
    set_up_go: "Make the account", "アカウントを作成";
    set_up_done: "Your account is there. Now add a printer.", "アカウントを作成しました。次にプリンターを追加してください。";
    wrong_code: "That is not the code. It was printed when the server was last started.", "コードが違います。サーバーを最後に起動したときに表示されたコードを入力してください。";
    bad_account_name: "A name has 1 to 64 characters and no spaces.", "名前は1〜64文字で、空白は使えません。";
    bad_password: "A password has at least 10 characters.", "パスワードは10文字以上にしてください。";
    not_the_same: "The two passwords are not the same.", "2つのパスワードが一致しません。";
    wrong_sign_in: "Name and password do not fit together.", "名前またはパスワードが違います。";
    forgot: "Forgot the password? On the server, type", "パスワードを忘れた場合は、サーバーで次を実行してください：";
    register_invite: "Print from your own mail address", "自分のメールアドレスから印刷する";
    change_password: "Change password", "パスワードを変更";
    old_password: "Password now", "現在のパスワード";
    new_password: "New password", "新しいパスワード";
    password_changed: "The password is changed; other browsers were signed out.", "パスワードを変更しました。ほかのブラウザーからはサインアウトしました。";
    right: "Right", "権限";
    right_print: "print", "印刷";
    right_operate: "operate", "操作";
    right_own: "own", "管理";
    right_print_hint: "Print, and control one's own jobs.", "印刷と、自分のジョブの操作。";
    right_operate_hint: "See and control everybody's jobs, pause, decide doubts.", "全員のジョブの操作、一時停止、印刷できたかどうかの判断。";
    right_own_hint: "All of it: printers, settings, who may print.", "すべて：プリンター、設定、印刷できる人。";
    mail_addresses: "Mail addresses", "メールアドレス";
    mail_addresses_hint: "Separated by commas. After signing in at the mail door, this person may send as these.", "コンマで区切ります。メール送信時にサインインすると、これらのアドレスで送れます。";
    people: "Accounts", "アカウント一覧";
    people_lead: "Who signs in here, or with a mail program. To print by mail alone nobody needs an account.", "この画面やメールソフトでサインインする人です。メールで印刷するだけならアカウントは不要です。";
    add_person: "Add an account", "アカウントを追加";
    remove_person: "Remove", "削除";
    person_added: "The account is there.", "アカウントを追加しました。";
    person_removed: "The account is gone, and its sessions with it.", "アカウントを削除し、サインアウトさせました。";
    account_exists: "There is an account with this name already.", "この名前のアカウントはすでにあります。";

    // Home and printers.
    add_printer: "Add a printer", "プリンターを追加";
    add_first_printer: "Add the first printer", "最初のプリンターを追加";
    no_printers: "No printers yet", "プリンターはまだありません";
    no_printers_lead: "Give a printer a mail address: what is sent there comes out on paper. All you need is its network address.", "プリンターにメールアドレスを付けると、そこへ送ったものが紙に印刷されます。必要なのはネットワークアドレスだけです。";
    ink: "Ink/toner", "インク・トナー";
    paper: "Paper", "用紙";
    jobs_waiting: "Waiting", "待機中のジョブ";
    all_jobs: "All jobs", "すべてのジョブ";
    all_jobs_here: "All jobs of this printer", "このプリンターのすべてのジョブ";
    nothing_waits: "Nothing waits here.", "待機中のジョブはありません。";
    queued_none: "no jobs", "ジョブなし";
    queued_one: "1 job", "1件";
    queued_many: "{0} jobs", "{0}件";
    doubt_one: "Did it print? One job needs your answer.", "印刷できましたか？ 1件のジョブに回答が必要です。";
    doubt_many: "Did it print? {0} jobs need your answer.", "印刷できましたか？ {0}件のジョブに回答が必要です。";
    asked_one: "One person asks to print.", "1人が印刷の許可を待っています。";
    asked_many: "{0} people ask to print.", "{0}人が印刷の許可を待っています。";
    state_ready: "Ready", "印刷できます";
    state_printing: "Printing", "印刷中";
    state_trouble: "Cannot print", "印刷できません";
    state_attention: "Needs care", "要確認";
    state_off: "Off", "電源オフ";
    state_paused: "Paused", "一時停止中";
    state_unasked: "Not asked yet", "未確認";
    answered: "answered {0}", "応答：{0}";
    reported: "reported {0}", "通知：{0}";
    asked_in_vain: "asked {0}, no answer", "{0}に確認、応答なし";
    outage_since: "cannot print since {0}", "{0}から印刷できません";
    tray_empty: "empty", "なし";
    tray_sheets: "{0} sheets", "{0}枚";
    tray_has: "has paper", "あり";
    level_unknown: "?", "?";
    color_cyan: "Cyan", "シアン";
    color_magenta: "Magenta", "マゼンタ";
    color_yellow: "Yellow", "イエロー";
    color_black: "Black", "ブラック";
    device_address: "Address of the device", "プリンター本体のアドレス";
    device_address_hint: "ipp://192.168.1.20/ipp/print, ipps://…, socket://192.168.1.20:9100 or folder:/path. The host alone will do for most printers.", "ipp://192.168.1.20/ipp/print、ipps://…、socket://192.168.1.20:9100、folder:/パス。多くのプリンターではホスト名やIPアドレスだけで十分です。";
    add_printer_lead: "Type where the printer is. It is asked what it can do, before anything is added.", "プリンターの場所を入力してください。追加する前に、何ができるかをプリンターに問い合わせます。";
    ask_it: "Ask the printer", "プリンターに問い合わせる";
    another_address: "Another address", "別のアドレス";
    found_it: "Found: {0}", "見つかりました：{0}";
    found_unnamed: "Found a printer", "プリンターが見つかりました";
    not_found_printer: "It did not answer", "応答がありません";
    add_anyway: "You can add it all the same: jobs wait until it answers.", "このまま追加することもできます。応答するまでジョブは待機します。";
    can_color: "prints in colour", "カラー印刷";
    can_mono: "prints in black only", "白黒印刷";
    can_duplex: "on both sides", "両面印刷";
    can_media: "on {0}", "用紙：{0}";
    can_takes: "takes {0}", "対応形式：{0}";
    only_reachable: "It can be reached. This kind of connection cannot tell about paper or ink.", "接続できます。この接続方法では用紙やインクの状態は分かりません。";
    printer_name: "Mail address", "メールアドレス";
    printer_name_hint: "Letters, digits, -, _ or a dot. What is sent there is printed.", "英数字、-、_、ピリオドが使えます。ここに送ったものが印刷されます。";
    printer_info: "Name for people", "表示名";
    printer_info_hint: "What people call it: Office, Reception, Second floor.", "人が読む名前です。例：事務所、受付、2階";
    access_open: "Everybody", "だれでも";
    access_open_hint: "Whoever registers may print at once.", "登録した人はすぐに印刷できます。";
    access_approve: "Everybody you approve", "承認した人";
    access_approve_hint: "People ask; you say yes or no.", "申請を受けて、承認または拒否します。";
    access_invite: "Only whom you enter", "指定した人だけ";
    access_invite_hint: "Nobody can ask.", "申請は受け付けません。";
    with_test_page: "Print a test page with its address", "アドレス入りのテストページを印刷する";
    add_it: "Add this printer", "このプリンターを追加";
    bad_printer_name: "A printer's name has 1 to 63 letters, digits, -, _ or dots, and starts with a letter or digit. Some names, such as postmaster, are taken.", "プリンターの名前は英数字、-、_、ピリオドで1〜63文字、先頭は英数字です。postmaster などは使えません。";
    bad_device: "That is no address of a device: use ipp://host/path, ipps://host/path, socket://host:port or folder:/path.", "プリンター本体のアドレスが正しくありません。ipp://ホスト/パス、ipps://ホスト/パス、socket://ホスト:ポート、folder:/パス のいずれかで入力してください。";
    name_taken: "There is a printer with this name already.", "この名前のプリンターはすでにあります。";
    printer_added: "The printer is there.", "プリンターを追加しました。";
    printer_added_test: "The printer is there, and a test page is on its way.", "プリンターを追加し、テストページを送りました。";
    printer_removed: "The printer is gone.", "プリンターを削除しました。";
    print_now: "Print now", "今すぐ印刷";
    pause: "Switch off", "停止する";
    off_jobs: "New jobs meanwhile", "停止中に届いたジョブ";
    off_keep: "Take them, and print when it is on again", "受け付けて、再開したときに印刷する";
    off_refuse: "Refuse them", "受け付けない";
    off_keep_for: "Take them, and refuse them if it stays off longer", "受け付けるが、停止が長引いたら受け付けない";
    off_span: "Longer than", "停止がこの時間を超えたら";
    off_span_default: "1 hour", "1時間";
    off_keeps: "Switched off ({0}). New jobs are taken and printed when it is on again.", "停止しています（{0}から）。新しいジョブは受け付け、再開したときに印刷します。";
    off_refuses: "Switched off ({0}). New jobs are refused.", "停止しています（{0}から）。新しいジョブは受け付けません。";
    off_keeps_until: "Switched off ({0}). New jobs are taken until {1}, then refused.", "停止しています（{0}から）。新しいジョブは{1}まで受け付け、その後は受け付けません。";
    resume: "Let it go on", "再開";
    test_page: "Test page", "テストページ";
    settings: "Settings", "設定";
    tried_in_vain: "The printer was asked just now; it cannot print yet.", "プリンターに確認しましたが、まだ印刷できません。";
    tried: "The printer was asked just now.", "プリンターに確認しました。";
    paused_said: "Switched off. What is being printed goes on; nothing new begins.", "停止しました。印刷中のものは続き、新しい印刷は始まりません。";
    resumed_said: "It goes on.", "再開しました。";
    print_here: "Print here", "ここに印刷する";
    print_here_lead: "Send a mail: attachments are printed, else its text.", "メールを送ってください。添付ファイルを、なければ本文を印刷します。";
    constant_note: "One address for all printers: with several, name the printer in the subject, {0}", "すべてのプリンターで共通のアドレスです。複数ある場合は件名でプリンターを指定してください：{0}";
    upload: "Print a file from here", "ここからファイルを印刷";
    upload_lead: "PDF, JPEG, PNG or text. Each file becomes a job of its own.", "PDF、JPEG、PNG、テキストを印刷できます。ファイルごとに1つのジョブになります。";
    upload_curl: "Or from a terminal:", "端末からも送れます：";
    files: "Files", "ファイル";
    pair_title: "Connect a machine", "機器を接続";
    pair_lead: "A machine beside your printers shows a code. Type it here.", "プリンターのそばの機器に表示されたコードを入力してください。";
    pair_code: "Code", "コード";
    pair_next: "Next", "次へ";
    pair_compare: "Does your machine show exactly this code?", "お使いの機器に、このコードと同じものが表示されていますか？";
    pair_machine: "Machine", "機器";
    pair_from: "Asks from", "接続元";
    pair_warning: "Say yes only if you have just started it yourself. It may then bring printers here and print what is sent to them.", "ご自身で今起動した機器の場合だけ「はい」を押してください。接続すると、その機器はプリンターを追加し、送られたものを印刷できます。";
    pair_yes: "Yes, connect it", "はい、接続する";
    pair_no: "No", "いいえ";
    pair_unknown: "No machine waits with this code. Codes are good for ten minutes; start the machine's pairing again.", "このコードで待っている機器はありません。コードの有効期限は10分です。機器でもう一度ペアリングを始めてください。";
    paired: "The machine is connected.", "機器を接続しました。";
    not_paired: "The machine was turned away.", "機器の接続を断りました。";
    drop_files: "Drop files here, paste them, or choose", "ここにファイルをドロップ、貼り付け、または選択";
    take_away: "Take away", "外す";
    print_many: "Print {0} files", "{0}件を印刷する";
    upload_empty: "An empty file was left out.", "空のファイルは除きました。";
    upload_sending: "Being sent …", "送信中…";
    upload_lost: "The line was lost. Press again: nothing is printed twice.", "接続が切れました。もう一度押してください。二重に印刷されることはありません。";
    more_options: "More", "その他の設定";
    pages_on_side: "Pages on a side", "1面あたりのページ数";
    turned: "Direction", "向き";
    as_it_is: "As it is", "そのまま";
    landscape: "Landscape", "横";
    quality: "Quality", "品質";
    quality_draft: "Draft", "下書き";
    quality_high: "High", "高品質";
    print_files: "Print", "印刷する";
    pages_wanted: "Pages", "印刷するページ";
    as_set: "As the printer is set", "プリンターの設定どおり";
    one_side: "One side", "片面";
    both_long: "Both sides, like a book", "両面（長辺とじ）";
    both_short: "Both sides, like a calendar", "両面（短辺とじ）";
    in_color: "In colour", "カラー";
    in_black: "In black only", "白黒";
    poster: "For the wall: people register with this code.", "掲示用：このコードから登録できます。";
    qr_alt: "QR code of the page to register", "登録ページのQRコード";
    mail_address: "Mail address", "メールアドレス";
    let_print: "Let print", "許可する";
    nobody_yet: "Nobody yet.", "まだだれもいません。";
    about_printer: "About this printer", "このプリンターについて";
    fact_model: "Model", "機種";
    fact_device: "Device", "接続先";
    fact_color: "Colour", "カラー";
    fact_duplex: "Both sides", "両面";
    fact_media: "Paper sizes", "用紙サイズ";
    fact_formats: "Takes", "対応形式";
    yes: "yes", "はい";
    no: "no", "いいえ";
    history: "History", "履歴";
    no_history: "Nothing yet.", "まだありません。";
    location: "Where it stands", "設置場所";

    // Settings of a printer.
    when_it_waits: "While it cannot print", "印刷できないとき";
    kept_until: "Kept for", "保存期限";
    kept_until_hint: "3 days, 12 hours, 90 s. Then a waiting job is deleted and its sender is told. One second to 30 days.", "3日、12時間、90秒 など。過ぎると待機中のジョブを削除し、送信者に知らせます。1秒〜30日。";
    retention_follows: "A changed limit counts for jobs that already wait, too", "変更した期限を待機中のジョブにも適用する";
    tries_again_every: "Tries again every", "再試行の間隔";
    tries_again_hint: "Besides, it prints as soon as the printer reports that it is ready.", "このほか、プリンターが使えると通知してきたらすぐに印刷します。";
    time_out: "Counts as off after", "電源オフとみなすまで";
    time_out_hint: "How long the printer may take to answer.", "プリンターの応答を待つ時間です。";
    stored_as: "A waiting job is stored as", "待機中のジョブの保存形式";
    stored_mail: "The mail", "メール";
    stored_mail_hint: "As it came.", "届いたままの形。";
    stored_print_data: "Print data", "印刷データ";
    stored_print_data_hint: "As the printer takes it: quickest when it is back.", "プリンターが受け取る形。復帰後すぐに印刷できます。";
    stored_smallest: "Whichever is smaller", "小さいほう";
    stored_smallest_hint: "Compressed.", "圧縮して保存します。";
    did_it_print: "Did it print?", "印刷できましたか？";
    in_doubt: "When nobody knows whether a page came out", "印刷されたかどうか分からないとき";
    doubt_ask: "Ask", "確認する";
    doubt_ask_hint: "Nothing is printed twice without a person's word.", "人が答えるまで、二重に印刷することはありません。";
    doubt_reprint: "Print again, with a mark", "印をつけて印刷し直す";
    doubt_reprint_hint: "The paper says that it is a repetition.", "再印刷であることが紙に印刷されます。";
    doubt_drop: "Leave it", "印刷しない";
    doubt_drop_hint: "The sender is told.", "送信者に知らせます。";
    doubt_time: "The question stands for", "回答を待つ時間";
    reprint_window: "Printed jobs can be printed again for", "印刷後に再印刷できる時間";
    reprint_window_hint: "0 s: the data is deleted as soon as it is printed.", "0秒：印刷が終わるとすぐにデータを削除します。";
    how_it_prints: "How it prints", "印刷のしかた";
    options: "Unless the mail says otherwise", "メールに指定がないとき";
    options_hint: "The words of a subject: attachments, body, both, duplex, simplex, mono, color, 2 copies, A4, A5, Letter.", "件名と同じ言葉：attachments、body、both、duplex、simplex、mono、color、2 copies、A4、A5、Letter";
    bad_options: "These words are not known: {0}", "次の言葉は使えません：{0}";
    review_pages: "More pages than this wait for a click", "確認が必要になるページ数";
    review_pages_hint: "So that a long mail does not empty the tray by mistake.", "長いメールで用紙を使い切るのを防ぎます。";
    bad_span: "{0}: write a number and a unit, such as 3 days, 12 hours, 5 minutes or 90 s, within what is allowed.", "{0}：3日、12時間、5分、90秒 のように、数字と単位で、許される範囲で入力してください。";
    bad_number: "{0}: write a whole number that is allowed there.", "{0}：許される範囲の整数を入力してください。";
    bad_text: "{0}: that is empty or too long.", "{0}：空か、長すぎます。";
    report_token: "Reports by the printer", "プリンターからの通知";
    report_token_lead: "With this token the printer, or a helper beside it (tympan report), tells by itself that it is on and has paper again. A new one is made each time; old ones stay in force.", "このトークンを使うと、プリンター（または補助の tympan report）が電源や用紙の回復を自分から知らせます。押すたびに新しいトークンを作り、以前のものも有効なままです。";
    report_to: "Report to:", "通知先：";
    shown_once: "It is shown only now.", "表示されるのは今回だけです。";
    new_token: "Make a token", "トークンを作成";
    remove_printer: "Remove this printer", "このプリンターを削除";
    remove_lead: "Its mail address ends to exist. Type its name to be sure.", "メールアドレスも使えなくなります。確認のため名前を入力してください。";
    type_name: "Its name:", "名前：";
    type_name_wrong: "That was another name; nothing was removed.", "名前が違います。削除しませんでした。";
    jobs_still_wait: "{0} jobs still wait there. Cancel them or print them elsewhere first.", "{0}件のジョブが待機中です。先に取り消すか、別のプリンターで印刷してください。";

    // Jobs.
    filter: "Filter", "絞り込み";
    tab_waiting: "Waiting", "待機中";
    tab_doubt: "Did it print?", "要回答";
    tab_ended: "Ended", "終了";
    tab_all: "All", "すべて";
    all_printers: "All printers", "すべてのプリンター";
    no_jobs: "No jobs here", "ジョブはありません";
    older: "Older", "以前のジョブ";
    badge_waiting: "Waiting", "待機中";
    badge_next: "Next", "次に印刷";
    badge_preparing: "Being prepared", "準備中";
    badge_held: "Held", "保留中";
    badge_printing: "Printing", "印刷中";
    badge_stopped: "Stopped", "停止中";
    badge_doubt: "Did it print?", "要回答";
    badge_printed: "Printed", "印刷済み";
    badge_sent: "Sent", "送信済み";
    badge_failed: "Not printed", "印刷できず";
    badge_canceled: "Cancelled", "取り消し";
    badge_unknown: "Unclear", "不明";
    pages_one: "1 page", "1ページ";
    pages_many: "{0} pages", "{0}ページ";
    cancel: "Cancel", "取り消し";
    hold: "Hold", "保留";
    release: "Let it print", "印刷を許可";
    print_again: "Print again", "もう一度印刷";
    print_elsewhere: "Print elsewhere", "別のプリンターで印刷";
    doubt_lead_partly: "Pages up to {0} came out. Pages {1} to {2} may have. Please look at the paper.", "{0}ページまでは印刷されました。{1}〜{2}ページは印刷されたかどうか分かりません。用紙を確認してください。";
    doubt_lead_partly_one: "Pages up to {0} came out. Page {1} may have. Please look at the paper.", "{0}ページまでは印刷されました。{1}ページは印刷されたかどうか分かりません。用紙を確認してください。";
    doubt_lead_one: "Page 1 may have come out. Please look at the paper.", "1ページ目は印刷されたかどうか分かりません。用紙を確認してください。";
    doubt_lead_none: "Pages 1 to {0} may have come out. Please look at the paper.", "1〜{0}ページは印刷されたかどうか分かりません。用紙を確認してください。";
    doubt_lead_certain: "Pages up to {0} came out, the rest did not.", "{0}ページまで印刷され、残りは印刷されていません。";
    it_all_came_out: "It all came out", "すべて印刷できた";
    print_from_page: "Print from page", "このページから印刷：";
    print_from: "Print from there", "ここから印刷";
    print_all_again: "Print all again", "すべて印刷し直す";
    throw_away: "Throw away", "破棄";
    remarks: "Remarks", "お知らせ";
    details: "Details", "詳細";
    documents: "Documents", "文書";
    time_line: "What happened", "経過";
    keep_longer: "Keep it longer, or shorter", "保存期限を変える";
    keep_for: "Keep from now for", "今から";
    days: "days", "日";
    fact_printer: "Printer", "プリンター";
    fact_sender: "From", "送信者";
    fact_came: "Came in", "受付";
    fact_kept: "Kept until", "保存期限";
    fact_next_try: "Tried again at", "次の再試行";
    fact_pages: "Pages", "ページ数";
    fact_copies: "Copies", "部数";
    fact_done: "Came out", "印刷済み";
    fact_options: "Options", "オプション";
    fact_tries: "Tries", "試行回数";
    fact_retry: "Tries again every", "再試行の間隔";
    fact_id: "Number at the printer", "プリンターでの番号";
    canceled_said: "Cancelled.", "取り消しました。";
    canceling_said: "It is being cancelled at the printer.", "プリンターで取り消しています。";
    held_said: "Held.", "保留しました。";
    released_said: "It may print now.", "印刷を許可しました。";
    again_said: "It prints again, as this job.", "このジョブとして再印刷します。";
    elsewhere_said: "It prints there now, as this job.", "このジョブとして、そのプリンターで印刷します。";
    decided_said: "Thank you. So it is noted.", "回答を記録しました。";
    kept_said: "The time is changed.", "保存期限を変更しました。";
    still_waits: "It has not been printed yet; there is nothing to print again.", "まだ印刷されていないため、再印刷できません。";
    not_there: "This sender may not print at that printer.", "この送信者はそのプリンターでは印刷できません。";

    // The time line of a job, and the history of a printer.
    h_received_mail: "Came in by mail.", "メールで届きました。";
    h_received_web: "Came in by the web.", "Web から届きました。";
    h_received_ipp: "Came in from a print dialogue.", "印刷ダイアログから届きました。";
    h_received_test: "A test page was asked for.", "テストページの印刷が指示されました。";
    h_received_reprint: "Made to print another job again.", "再印刷のために作られました。";
    h_received_other: "Came in.", "届きました。";
    h_ready: "May print.", "印刷できる状態になりました。";
    h_held: "Held.", "保留になりました。";
    h_held_review: "Waits for a click, because it has many pages.", "ページ数が多いため、確認を待っています。";
    h_blocked: "The printer could not print it: {0}", "プリンターが印刷できませんでした：{0}";
    h_try: "Try {0} began.", "{0}回目の試行を始めました。";
    h_handed: "Sent to the printer.", "プリンターに送りました。";
    h_printing: "The printer prints it.", "プリンターが印刷しています。";
    h_stopped: "The printer has stopped with it.", "プリンターが途中で止まりました。";
    h_printed: "Out of the printer.", "印刷が終わりました。";
    h_in_doubt: "Nobody knows whether all of it came out.", "すべて印刷されたかどうか分からなくなりました。";
    h_clean: "That try ended without a sheet: {0}", "用紙を使わずに試行が終わりました：{0}";
    h_canceled_at_device: "Cancelled at the printer.", "プリンターで取り消されました。";
    h_progress: "{0} sides are out.", "{0}面まで印刷しました。";
    h_completed: "Done.", "完了しました。";
    h_canceled: "Cancelled.", "取り消されました。";
    h_aborted: "Ended without being printed.", "印刷せずに終了しました。";
    h_expired: "Its time was over; it was deleted.", "保存期限が過ぎ、削除されました。";
    h_told: "The sender was told ({0}).", "送信者に知らせました（{0}）。";
    h_told_mail: "by mail", "メール";
    h_told_here: "here", "この画面";
    h_duplicate: "The same mail came again; it is printed once.", "同じメールがもう一度届きました。印刷は1回だけです。";
    h_changed: "{1}: {0}", "{1}：{0}";
    h_condition_answered: "Answered: {0}", "応答：{0}";
    h_condition_reported: "Reported by itself: {0}", "プリンターからの通知：{0}";
    h_idle: "ready", "印刷できます";
    h_processing: "printing", "印刷中";
    h_state_stopped: "stopped", "停止中";
    h_unknown: "Something a later version wrote down.", "新しいバージョンが記録した出来事です。";
    c_cancel: "cancelled it", "取り消しました";
    c_hold: "held it", "保留にしました";
    c_unhold: "let it print", "印刷を許可しました";
    c_decide: "said whether it came out", "印刷できたかどうかを回答しました";
    c_keep: "changed how long it is kept", "保存期限を変更しました";
    c_hold_until: "had it wait until a time", "時刻まで保留にしました";
    c_changed: "changed how it is printed", "印刷の設定を変更しました";
    c_document: "took a document out of it", "文書をひとつ取り除きました";
    c_wrong_pin: "gave a wrong PIN", "誤った暗証番号を入力しました";
    c_closed: "sent all of it", "送信を終えました";
    c_identify: "looked for the printer", "プリンターを探しました";
    c_hold_new: "changed whether new jobs are held", "新しい印刷を保留するかどうかを変更しました";
    c_try: "had it tried now", "すぐに再試行しました";
    c_retry: "changed how often it is tried", "再試行の間隔を変更しました";
    c_reprint: "printed it again as {0}", "{0} として再印刷しました";
    c_pause: "paused the printer", "一時停止しました";
    c_resume: "let the printer go on", "再開しました";
    c_policy: "changed its settings", "設定を変更しました";
    c_describe: "changed its name or place", "名前または場所を変更しました";
    c_device: "changed its address", "接続先を変更しました";
    c_remove: "removed it", "削除しました";
    c_accept: "changed whether it takes jobs", "受け付けるかどうかを変更しました";

    // Registrations.
    registrations_lead: "People register here:", "登録ページ：";
    reg_active: "May print", "印刷可";
    reg_requested: "Asks", "申請中";
    reg_revoked: "May not", "印刷不可";
    approve: "Approve", "承認";
    refuse: "Refuse", "拒否";
    revoke: "Revoke", "取り消し";
    reg_facts: "kept for {0}, tries again every {1}", "保存期限 {0}、再試行 {1}ごと";
    approved_said: "May print now.", "許可しました。";
    revoked_said: "May not print any more.", "許可を取り消しました。";
    registered_said: "May print now.", "許可しました。";
    bad_address: "That is no mail address; write it like anna@example.org.", "メールアドレスが正しくありません。anna@example.org のように入力してください。";
    approved_subject: "{0}: you can print now", "{0}: 印刷できるようになりました";
    approved_text: "You can print at {0}: send a mail with your document to {1}.\n\nWhat you can set there:\n{2}\n", "{0} で印刷できます。文書を添付したメールを {1} に送ってください。\n\nあなたの設定:\n{2}\n";
    register_title: "Print from your mail address", "メールアドレスから印刷する";
    register_choose: "At which printer?", "どのプリンターで印刷しますか？";
    register_none: "No printer takes registrations here. Ask its owner.", "登録を受け付けているプリンターはありません。管理者にお問い合わせください。";
    register_at: "Print at {0}", "{0} で印刷する";
    register_lead_open: "Type your mail address. Mails from it to {0} are printed from then on.", "メールアドレスを入力してください。そのアドレスから {0} に送ったメールが印刷されます。";
    register_lead_approve: "Type your mail address. When the owner has said yes, mails from it to {0} are printed.", "メールアドレスを入力してください。管理者が承認すると、そのアドレスから {0} に送ったメールが印刷されます。";
    register_lead_invite: "The owner of this printer enters by himself who may print. Ask him.", "このプリンターで印刷できる人は管理者が指定します。管理者にお問い合わせください。";
    your_address: "Your mail address", "あなたのメールアドレス";
    your_address_hint: "The one you send from. Nothing is mailed to it now.", "送信に使うアドレスです。今このアドレスにメールは送りません。";
    register_go: "Register", "登録する";
    register_by_mail: "Or by mail, from that address, to", "または、そのアドレスからこちらにメール：";
    registered_open: "{0} is registered", "{0} を登録しました";
    registered_open_lead: "Mails from this address are printed from now on, unless the owner has turned it away before.", "このアドレスからのメールは印刷されます（以前に管理者が拒否した場合を除きます）。";
    registered_approve: "The owner is asked for {0}", "{0} の承認を申請しました";
    registered_approve_lead: "When he has said yes, mails from this address are printed. If he has said so already, they are printed now.", "承認されると、このアドレスからのメールが印刷されます。承認済みの場合は今すぐ使えます。";
    first_mail: "Your first mail", "最初のメール";
    first_mail_lead: "Write to this address and attach a PDF or a picture, or just write some text:", "次のアドレスに、PDFや画像を添付して、または本文だけで送ってください：";
    first_mail_words: "Words in the subject say how:", "件名で印刷方法を指定できます：";
    my_registration: "Printing at {0}", "{0} での印刷";
    own_default_hint: "Left empty: what the printer's owner has set.", "空欄：プリンターの設定に従います。";
    follows_note: "Jobs that already wait follow.", "待機中のジョブにも適用されます。";
    follows_not_note: "Jobs that already wait keep their time.", "待機中のジョブの期限は変わりません。";
    notice_language: "Language of notices", "お知らせの言語";
    leave: "Stop printing here", "ここでの印刷をやめる";
    leave_lead: "Mails from this address are then refused at this printer.", "このアドレスからのメールは、このプリンターでは受け付けなくなります。";
    left_said: "Mails from this address are not printed here any more.", "このアドレスからのメールは、ここでは印刷されなくなりました。";
    not_in_force: "This registration is not in force. The printer's owner can change that.", "この登録は現在無効です。変更できるのはプリンターの管理者です。";

    // Notices.
    notices_lead_mail: "What was told to senders by mail.", "送信者にメールで知らせた内容です。";
    notices_lead_here: "This server sends no mail; what senders are told stands here and in the folder of notices.", "このサーバーはメールを送信しません。送信者へのお知らせは、ここと通知フォルダーに保存されます。";
    no_notices: "No notices", "お知らせはありません";
    not_told_yet: "not told yet", "未送信";
    to_the_job: "To the job", "ジョブを見る";

    // What did not work.
    not_found: "There is nothing here", "見つかりません";
    not_found_hint: "The address may be old, or what was here belongs to somebody else.", "アドレスが古いか、ほかの人のものです。";
    link_over: "This link is not in force any more", "このリンクは無効です";
    link_over_hint: "Links in notices end after a while, and when their job is gone.", "お知らせのリンクは、しばらくするか、ジョブがなくなると使えなくなります。";
    forbidden: "You have not the right to do that", "この操作の権限がありません";
    forbidden_hint: "The owner of this place can give it to you.", "管理者に権限を付けてもらってください。";
    unauthorized: "A sign-in or a token is needed", "サインインまたはトークンが必要です";
    unauthorized_hint: "Make a token with `tympan admin token` and send it as `Authorization: Bearer …`.", "`tympan admin token` でトークンを作り、`Authorization: Bearer …` で送ってください。";
    foreign: "That came from another site", "ほかのサイトからの操作です";
    foreign_hint: "Nothing was done. Open the page here and try again.", "何も実行していません。このページを開いてやり直してください。";
    stale: "The page was too old", "ページが古くなっています";
    stale_hint: "Nothing was done. Go back, load the page again and repeat it.", "何も実行していません。戻ってページを再読み込みし、もう一度お試しください。";
    too_many: "Too many tries", "試行回数が多すぎます";
    too_many_hint: "Try again in {0}.", "{0}後にもう一度お試しください。";
    bad_body: "What was sent could not be read", "送信された内容を読み取れません";
    exists: "That exists already: {0}", "すでに存在します：{0}";
    full: "The disk is full", "ディスクがいっぱいです";
    full_hint: "Nothing new is taken until there is room.", "空きができるまで、新しいものは受け付けません。";
    broken: "Something broke here", "サーバーで問題が起きました";
    broken_hint: "It stands in the server's log.", "詳しくはサーバーのログを確認してください。";
    bad_path: "There is no such page", "ページがありません";
    bad_method: "That cannot be done here", "ここではその操作はできません";
    r_job_ended: "The job has already ended.", "ジョブはすでに終了しています。";
    r_printing: "The job is already being printed.", "ジョブはすでに印刷中です。";
    r_stale: "Meanwhile something else happened. Look again.", "その間に状態が変わりました。もう一度確認してください。";
    r_no_doubt: "There is nothing to decide about this job.", "このジョブに回答は必要ありません。";
    r_in_doubt: "Say first whether it printed.", "先に、印刷できたかどうかを答えてください。";
    r_no_page: "The job has no such page.", "そのページはありません。";
    r_made_for_another: "Only the data made for its own printer is left, and the other printer does not take that.", "元のプリンター用のデータしか残っておらず、選んだプリンターでは印刷できません。";
    r_deleted: "Its data has been deleted; it cannot be printed again.", "データは削除済みのため、もう印刷できません。";
    pin: "PIN", "暗証番号";
    release_with_pin: "Print it", "印刷する";
    pin_wrong: "The PIN is wrong. Nothing was printed.", "暗証番号が違います。印刷されませんでした。";
    pin_dead: "Ten wrong PINs were tried: this job is not let go by PIN any more. Please cancel it and print again.", "暗証番号を10回間違えたため、このジョブは暗証番号では印刷できません。取り消してもう一度印刷してください。";
    pin_none: "The job does not wait for a PIN.", "このジョブは暗証番号を待っていません。";
    r_no_document: "The job has no such document.", "その文書はありません。";
    r_too_many_documents: "A job has at most 20 documents.", "ひとつのジョブの文書は20件までです。";
    r_not_ready: "The job is still being prepared.", "ジョブはまだ準備中です。";
    r_queue_full: "As many of your jobs wait as may. Cancel some, or send again when they have printed.", "待機できるジョブ数の上限です。取り消すか、印刷が終わってからもう一度送ってください。";
    operator_holds: "An operator of the printer holds it; ask there.", "プリンターの管理者が保留しています。管理者にお問い合わせください。";
    r_canceling: "It is already being cancelled.", "すでに取り消し中です。";
    r_not_possible: "That cannot happen now.", "今はできません。";
}

impl Texts {
    /// Puts values into the places of a text.
    pub(crate) fn fill(&self, text: &str, values: &[&str]) -> String {
        let mut out = String::with_capacity(text.len() + 32);
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            out.push_str(&rest[..at]);
            let value = rest[at + 1..]
                .split_once('}')
                .and_then(|(n, after)| Some((values.get(n.parse::<usize>().ok()?)?, after)));
            match value {
                Some((value, after)) => {
                    out.push_str(value);
                    rest = after;
                }
                None => {
                    out.push('{');
                    rest = &rest[at + 1..];
                }
            }
        }
        out.push_str(rest);
        out
    }

    /// One or many.
    pub(crate) fn count(&self, one: &'static str, many: &str, count: u64) -> String {
        if count == 1 { one.to_owned() } else { self.fill(many, &[&count.to_string()]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn places(text: &str) -> BTreeSet<&str> {
        text.match_indices('{').map(|(at, _)| &text[at..at + 3]).collect()
    }

    #[test]
    fn every_text_stands_in_both_languages_with_the_same_places() {
        assert!(ALL.len() > 200);
        for (key, en, ja) in ALL {
            assert!(!en.is_empty() && !ja.is_empty(), "{key} is empty");
            assert_eq!(places(en), places(ja), "{key} has other places for values");
            let japanese = ja.chars().any(|c| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}'));
            assert!(japanese || matches!(*key, "level_unknown" | "h_changed"), "{key} is not translated: {ja}");
            assert!(!en.chars().any(|c| c > '\u{2fff}'), "{key} holds Japanese: {en}");
        }
        let keys: BTreeSet<&str> = ALL.iter().map(|(key, ..)| *key).collect();
        assert_eq!(keys.len(), ALL.len());
    }

    #[test]
    fn the_words_of_the_glossary_are_used() {
        let glossary = include_str!("../../../docs/glossary.md");
        for text in [EN.did_it_print, EN.print_all_again, EN.it_all_came_out, EN.throw_away, EN.print_now] {
            assert!(glossary.contains(text), "{text}");
        }
        for text in
            [JA.did_it_print, JA.print_all_again, JA.it_all_came_out, JA.throw_away, JA.print_now, JA.kept_until]
        {
            assert!(glossary.contains(text), "{text}");
        }
    }

    #[test]
    fn values_are_put_in_once_and_never_read_again() {
        assert_eq!(EN.fill("{1}: {0} {2} {x", &["{1}", "b"]), "b: {1} {2} {x");
    }
}
