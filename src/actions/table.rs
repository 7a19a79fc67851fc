//! The console's own actions: the rows that change nothing in the world.

use super::deed::Deed;

/// Where an action means something. A key is looked up in the scope of the focused pane first, then outwards.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    /// Everywhere.
    Global,
    /// In every list.
    List,
    /// In scrolling text: details, logs, raw JSON, help.
    Text,
    /// In a log that can be followed.
    Log,
    /// In graphs over time.
    Graph,
    /// In an open console: whatever is not bound here is the guest's.
    Console,
}

impl Scope {
    /// The scopes, from the innermost, in which a pane of this scope looks for a key.
    pub fn chain(self) -> &'static [Self] {
        match self {
            Self::Global => &[Self::Global],
            Self::List => &[Self::List, Self::Global],
            Self::Text => &[Self::Text, Self::Global],
            Self::Log => &[Self::Log, Self::Text, Self::Global],
            Self::Graph => &[Self::Graph, Self::Global],
            Self::Console => &[Self::Console],
        }
    }

    /// The word that keymap files and help use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::List => "list",
            Self::Text => "text",
            Self::Log => "log",
            Self::Graph => "graph",
            Self::Console => "console",
        }
    }
}

/// One action.
#[derive(Debug)]
pub struct Action {
    /// Which one.
    pub id: Id,
    /// The stable noun-verb name: `list.filter`.
    pub name: &'static str,
    /// What the palette and help call it.
    pub title: &'static str,
    /// One sentence about it.
    pub help: &'static str,
    /// Where it means something.
    pub scope: Scope,
    /// Default keys.
    pub keys: &'static [&'static str],
    /// The word that the footer shows behind the first key; empty if the footer leaves it out.
    pub hint: &'static str,
}

macro_rules! actions {
    ($($id:ident $name:literal $scope:ident [$($key:literal),*] $hint:literal, $title:literal, $help:literal;)*) => {
        /// All actions.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[allow(missing_docs, reason = "each has its help in the table")]
        pub enum Id {
            $($id,)*
            /// One that changes the world.
            Deed(Deed),
        }

        impl Id {
            /// The action's row.
            pub fn action(self) -> &'static Action {
                match self {
                    $(Self::$id => const { &Action {
                        id: Self::$id,
                        name: $name,
                        title: $title,
                        help: $help,
                        scope: Scope::$scope,
                        keys: &[$($key),*],
                        hint: $hint,
                    } },)*
                    Self::Deed(deed) => &deed.row().action,
                }
            }
        }

        /// The console's own actions, in the order of help and palette.
        pub(super) const CONSOLE: &[Id] = &[$(Id::$id,)*];
    };
}

actions! {
    // --- acting
    MenuOpen "menu.open" Global ["s"] "act", "Act", "Opens the menu of everything that can be done to the selected or marked objects.";
    // --- places
    PlaceDeck "place.deck" Global ["0"] "", "Deck", "Shows the deck: all panes side by side.";
    PlaceNodes "place.nodes" Global [] "", "Nodes", "Shows all nodes.";
    PlaceGuests "place.guests" Global [] "", "Guests", "Shows all guests, machines and containers.";
    PlaceMetrics "place.metrics" Global [] "", "Metrics", "Shows graphs of what is selected; marked objects are compared.";
    PlaceStorages "place.storages" Global [] "", "Storages", "Shows all storages.";
    PlaceDatastores "place.datastores" Global [] "", "Datastores", "Shows the datastores of all Backup Servers.";
    PlaceServerBackups "place.server-backups" Global [] "", "Server backups", "Shows the backups on all Backup Servers.";
    PlaceSnapshots "place.snapshots" Global [] "", "Snapshots", "Shows the snapshots of all guests.";
    PlaceBackups "place.backups" Global ["b"] "", "Backups", "Shows all backups on all storages.";
    PlaceRestorePoints "place.restore-points" Global ["B"] "", "Restore points", "Shows every guest with its last good backup, the worst off first.";
    PlaceJobs "place.jobs" Global ["J"] "", "Backup jobs", "Shows all backup jobs: next run, schedule in words, retention, last result.";
    PlaceTasks "place.tasks" Global [] "", "Tasks", "Shows running and recent tasks.";
    PlaceAlerts "place.alerts" Global ["!"] "alerts", "Alerts", "Shows what is wrong: alerts of Prometheus and Alertmanager, and findings in the data of Proxmox.";
    PlaceSilences "place.silences" Global [] "", "Silences", "Shows what keeps alerts quiet, and until when.";
    PlaceFindings "place.findings" Global [] "", "Findings", "Shows only what the console itself sees in the data of Proxmox.";
    PlaceClusters "place.clusters" Global ["C"] "", "Clusters", "Shows all clusters: quorum, HA, pools, networks, log.";
    PlaceRuns "place.runs" Global [] "", "Runs", "Shows what was done from here: runs with their plans and outcomes.";
    PlaceQuery "place.query" Global [] "", "Query", "Shows a line for PromQL, with the answer of Prometheus as a graph or a table.";
    HistoryBack "history.back" Global ["esc", "-", "[", "backspace"] "back", "Back", "Goes back to where you were before.";
    HistoryForward "history.forward" Global ["]"] "", "Forward", "Goes forward again after going back.";
    // --- panes of the deck
    FocusNext "pane.next" Global ["tab"] "pane", "Next pane", "Moves the focus to the next pane.";
    FocusPrevious "pane.previous" Global ["shift-tab"] "", "Previous pane", "Moves the focus to the previous pane.";
    Focus1 "pane.1" Global ["1"] "", "Pane 1", "Focuses the first pane.";
    Focus2 "pane.2" Global ["2"] "", "Pane 2", "Focuses the second pane.";
    Focus3 "pane.3" Global ["3"] "", "Pane 3", "Focuses the third pane.";
    Focus4 "pane.4" Global ["4"] "", "Pane 4", "Focuses the fourth pane.";
    Focus5 "pane.5" Global ["5"] "", "Pane 5", "Focuses the fifth pane.";
    Focus6 "pane.6" Global ["6"] "", "Pane 6", "Focuses the sixth pane.";
    Focus7 "pane.7" Global ["7"] "", "Pane 7", "Focuses the seventh pane.";
    Focus8 "pane.8" Global ["8"] "", "Pane 8", "Focuses the eighth pane.";
    Zoom "pane.zoom" Global ["z"] "zoom", "Zoom", "Shows the focused pane full screen, or goes back to the deck.";
    // --- lists
    ListDown "list.down" List ["down", "j"] "", "Down", "Selects the next row.";
    ListUp "list.up" List ["up", "k"] "", "Up", "Selects the previous row.";
    ListPageDown "list.page-down" List ["pagedown", "ctrl-d"] "", "Page down", "Goes one page down.";
    ListPageUp "list.page-up" List ["pageup", "ctrl-u"] "", "Page up", "Goes one page up.";
    ListFirst "list.first" List ["home", "g"] "", "First row", "Selects the first row.";
    ListLast "list.last" List ["end", "G"] "", "Last row", "Selects the last row.";
    ListOpen "list.open" List ["enter"] "open", "Open", "Opens the selected object.";
    ListFilter "list.filter" List ["/"] "filter", "Filter", "Shows only rows with the text; also !text, status: node: tag: pool: type: cluster: name: user:.";
    ListSortNext "list.sort-next" List ["o"] "sort", "Sort by next column", "Sorts by the next column.";
    ListSortReverse "list.sort-reverse" List ["O"] "", "Reverse order", "Turns the order round.";
    ListMark "list.mark" List ["space"] "mark", "Mark", "Marks or unmarks the selected row.";
    ListMarkRange "list.mark-range" List ["ctrl-space"] "", "Mark range", "Marks everything from the last mark to the selected row.";
    ListMarkAll "list.mark-all" List ["*"] "", "Mark all", "Marks all rows that the filter shows, or unmarks them.";
    ObjectDescribe "object.describe" List ["d"] "describe", "Describe", "Shows all facts of the selected object.";
    ObjectRaw "object.raw" Global ["y"] "", "Raw JSON", "Shows the selected object as the server sends it.";
    ObjectMetrics "object.metrics" Global ["m"] "metrics", "Metrics of it", "Shows graphs of the selected object; of all that are marked, if it is one of them.";
    ObjectDashboard "object.dashboard" Global ["ctrl-g"] "", "Dashboard", "Copies the link to the dashboard of the selected object (OSC 52) and shows it.";
    ObjectLog "object.log" Global ["l"] "log", "Log", "Shows the log: of a task, or of the node.";
    AlertAcknowledge "alert.acknowledge" Global ["A"] "acknowledge", "Acknowledge", "Says that somebody looks after the selected or marked alerts, or takes that back; kept on this machine.";
    // --- text
    TextDown "text.down" Text ["down", "j"] "", "Scroll down", "Scrolls one line down.";
    TextUp "text.up" Text ["up", "k"] "", "Scroll up", "Scrolls one line up.";
    TextPageDown "text.page-down" Text ["pagedown", "space", "ctrl-d"] "", "Page down", "Scrolls one page down.";
    TextPageUp "text.page-up" Text ["pageup", "ctrl-u"] "", "Page up", "Scrolls one page up.";
    TextFirst "text.first" Text ["home", "g"] "", "Top", "Goes to the first line.";
    TextLast "text.last" Text ["end", "G"] "", "Bottom", "Goes to the last line.";
    TextFind "text.find" Text ["/"] "find", "Find", "Shows only lines with the text.";
    LogFollow "log.follow" Log ["f"] "follow", "Follow", "Follows the end of the log, or stops following.";
    // --- acting
    RunUndo "run.undo" Global ["u"] "", "Take back", "Takes back the last run that can be taken back, with a plan of its own.";
    RunStop "run.stop" Global [] "", "Stop run", "Begins no further step of the selected run; what is under way goes on.";
    RunContinue "run.continue" Global [] "", "Continue run", "Goes on with an interrupted run; nothing is done twice.";
    RunDrop "run.drop" Global [] "", "Drop run", "Gives up an interrupted run: nothing of it will be done any more.";
    // --- graphs
    GraphMetric "graph.metric" Graph ["m"] "metric", "Choose metric", "Opens the menu of metrics, or takes the selected one.";
    GraphRange "graph.range" Graph ["t"] "time", "Choose time range", "Opens the menu of time ranges, from ten minutes to a year, or takes the selected one.";
    GraphUp "graph.up" Graph ["up", "k"] "", "Previous metric", "Shows the previous metric, or selects the line above in a menu.";
    GraphDown "graph.down" Graph ["down", "j"] "", "Next metric", "Shows the next metric, or selects the line below in a menu.";
    GraphOpen "graph.open" Graph ["enter"] "open", "Open", "Takes what is selected in a menu, or opens the object of the graph.";
    GraphEarlier "graph.earlier" Graph ["left", "h"] "earlier", "Earlier", "Moves to earlier times.";
    GraphLater "graph.later" Graph ["right"] "", "Later", "Moves to later times, as far as the present.";
    GraphNow "graph.now" Graph ["end", "G"] "", "Now", "Goes back to the present and puts the cursor away.";
    GraphNearer "graph.zoom-in" Graph ["+", "="] "zoom", "Zoom in", "Shows half as much of time.";
    GraphFarther "graph.zoom-out" Graph ["-"] "", "Zoom out", "Shows twice as much of time.";
    GraphCursorLeft "graph.cursor-left" Graph [",", "shift-left"] "cursor", "Cursor left", "Moves the cursor to the left; the values there are told.";
    GraphCursorRight "graph.cursor-right" Graph [".", "shift-right"] "", "Cursor right", "Moves the cursor to the right.";
    GraphTop "graph.top" Graph ["x"] "top", "Highest", "Compares the objects with the highest values of the metric.";
    GraphQuery "graph.query" Graph ["/"] "query", "Type a query", "Opens the line for a PromQL query; tab completes names of metrics, enter asks.";
    GraphTable "graph.table" Graph ["v"] "", "Graph or table", "Shows the answer of a query as a table, or as a graph again.";
    GraphSource "graph.source" Graph ["n"] "", "Next server", "Asks the next Prometheus or exporter.";
    // --- consoles
    ConsoleOpen "console.open" Global ["c"] "console", "Console", "Opens the console of a guest or the shell of a node, or comes back to it.";
    ConsoleDetach "console.detach" Console ["ctrl-]"] "leave", "Leave the console", "Leaves the console, which goes on.";
    ConsoleRecord "console.record" Console ["ctrl-alt-r"] "record", "Record the console", "Records what the console shows into a file (asciicast v2), or ends that.";
    ConsolePageUp "console.page-up" Console ["shift-pageup"] "scroll up", "Scroll the console up", "Shows what the console wrote before.";
    ConsolePageDown "console.page-down" Console ["shift-pagedown"] "", "Scroll the console down", "Goes back towards the end.";
    ConsoleClose "console.close" Console ["ctrl-alt-x"] "end", "End the console", "Ends the open console of a guest or node.";
    // --- another program
    ObjectSsh "object.ssh" Global ["S"] "ssh", "SSH", "Gives the terminal to ssh, on the selected node or guest, until it ends.";
    // --- view
    Palette "palette.open" Global [":", "ctrl-p"] "palette", "Palette", "Opens the palette: every place, object and action by name.";
    Refresh "view.refresh" Global ["R", "f5"] "", "Refresh now", "Reads what is shown at once.";
    Pause "view.pause" Global ["p"] "", "Pause updates", "Stops reading, or starts it again.";
    ScreenDump "screen.dump" Global ["ctrl-s"] "", "Screen dump", "Writes what is on the screen to a file.";
    Copy "object.copy" Global ["\""] "", "Copy", "Copies the name of the selected object through the terminal (OSC 52).";
    ThemeNext "theme.next" Global ["T"] "", "Next theme", "Changes the colours.";
    MouseToggle "mouse.toggle" Global ["M"] "", "Mouse on/off", "Gives the mouse back to the terminal, or takes it.";
    Help "help.open" Global ["?", "f1"] "help", "Help", "Shows what every key does.";
    Quit "app.quit" Global ["q", "ctrl-c"] "quit", "Quit", "Ends pvedeck.";
}
