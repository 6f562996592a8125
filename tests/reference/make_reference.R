# Makes every csv of this folder except its two inputs mgus2.csv and aidssi.csv.
# Run from this folder: Rscript make_reference.R
suppressMessages({library(survival); library(cmprsk)})
set.seed(20240607, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")
ends <- c("won", "lost", "no_decision")

write_plain <- function(x, file) write.csv(x, file, row.names = FALSE, quote = FALSE, eol = "\n")

# One row per time of the curve. shift is taken off the curve's clock again.
# Doubles are written with 17 significant digits (write.csv alone writes 15).
write_incidence <- function(fit, file, clock = "days", shift = 0, event_times_only = FALSE,
                            std_err = fit$std.err) {
  states <- ifelse(fit$states == "(s0)", "open", fit$states)
  keep <- if (event_times_only) rowSums(fit$n.event) > 0 else rep(TRUE, length(fit$time))
  full <- function(x) { x[] <- sprintf("%.17g", as.numeric(x)); x }
  p <- fit$pstate; colnames(p) <- paste0("p_", states)
  se <- std_err[, states != "open", drop = FALSE]
  colnames(se) <- paste0("se_", states[states != "open"])
  out <- data.frame(time = fit$time - shift, n_at_risk = fit$n.risk[, 1],
                    full(p), full(se), check.names = FALSE)
  names(out)[1] <- clock
  write_plain(out[keep, ], file)
}

# Whole-day sales cycles: competing geometric-like ends and an independent censoring day.
draw_end <- function(n) {
  day <- lapply(c(won = 55, lost = 45, no_decision = 80), function(m) floor(rexp(n, 1 / m)))
  day$open <- floor(runif(n, 0, 75))
  first <- do.call(pmin, day)
  which_end <- apply(do.call(cbind, day), 1, function(d) {
    tied <- which(d == min(d)); tied[sample.int(length(tied), 1)] })
  data.frame(duration_days = first, end = names(day)[which_end])
}

# (b) Late entry: a deal with entry_days > 0 is seen only if it is still going after that day,
# so candidates that ended on or before their entry day are never in the file.
n <- 1200
x <- draw_end(n)
x$entry_days <- ifelse(runif(n) < 0.66, sample(1:20, n, replace = TRUE), 0)
x <- x[x$entry_days == 0 | x$entry_days < x$duration_days, ][1:380, ]
day0 <- data.frame(duration_days = 0, end = rep(c(ends, "open"), c(5, 6, 4, 5)), entry_days = 0)
x <- rbind(x, day0)
x <- x[sample(nrow(x)), ]
deals <- data.frame(deal_id = seq_len(nrow(x)), x[, c("entry_days", "duration_days", "end")])
write_plain(deals, "simulated_deals.csv")

# At risk on day t: entry < t <= duration, and entry 0 includes day 0. Surv() wants start < stop,
# hence start -1 for entry 0.
deals$start <- ifelse(deals$entry_days == 0, -1, deals$entry_days)
deals$end <- factor(deals$end, c("open", ends))  # the first level is censoring
fit <- survfit(Surv(start, duration_days, end) ~ 1, data = deals, id = deal_id, se.fit = TRUE)
write_incidence(fit, "simulated_incidence.csv")

# (c) Clustered: 1-5 landmark rows per deal, each the days left from that landmark, same end.
deal <- draw_end(150)
rows <- do.call(rbind, lapply(seq_len(nrow(deal)), function(i) {
  marks <- sort(sample(0:deal$duration_days[i], min(sample(1:5, 1), deal$duration_days[i] + 1)))
  data.frame(deal_id = i, duration_days = deal$duration_days[i] - marks, end = deal$end[i])
}))
write_plain(rows, "simulated_clustered.csv")
rows$end <- factor(rows$end, c("open", ends))
# +1 keeps day 0 off the origin of the clock; it is taken off again in the csv.
# survfit(..., cluster = deal_id) would not do: for multi-state curves survival 3.5-3 accepts
# cluster and ignores it (std.err stays the one of independent rows). So the standard error is made
# here from R's own influence values (row x time x state): summed within a deal, then squared.
fit <- survfit(Surv(duration_days + 1, end) ~ 1, data = rows, influence = TRUE)
influence <- fit$influence.pstate[, -1, ]  # the first slice is the start of the curve
stopifnot(all.equal(sqrt(apply(influence^2, 2:3, sum)), fit$std.err, check.attributes = FALSE))
clustered <- sqrt(apply(influence, 2:3, function(u) sum(rowsum(u, rows$deal_id)^2)))
write_incidence(fit, "simulated_clustered_incidence.csv", shift = 1, std_err = clustered)

# (d) Public data. mgus2 counts months in its column days; aidssi counts years.
mgus2 <- read.csv("mgus2.csv")
mgus2$end <- factor(mgus2$end, c("open", "pcm", "death"))
fit <- survfit(Surv(days, end) ~ 1, data = mgus2, se.fit = TRUE)
write_incidence(fit, "mgus2_incidence.csv", event_times_only = TRUE)

aidssi <- read.csv("aidssi.csv")
aidssi$end <- factor(aidssi$end, c("open", "AIDS", "SI"))
fit <- survfit(Surv(time, end) ~ 1, data = aidssi, se.fit = TRUE)
write_incidence(fit, "aidssi_incidence.csv", clock = "time", event_times_only = TRUE)

# (e) Gray's k-sample test. Six sets of rows: two to five groups, few days (heavy ties, ends on day 0) to many,
# groups alike (even sets) or not (odd sets), groups of one deal. cuminc wants 0 = censored.
set.seed(1988, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")
gray_set <- function(k) {
  n <- c(60, 200, 400, 150, 300, 25)[k]; n_groups <- c(2, 3, 5, 4, 2, 3)[k]; days <- c(10, 30, 8, 200, 60, 4)[k]
  group <- c(seq_len(n_groups), sample(n_groups, n - n_groups, replace = TRUE, prob = n_groups:1))
  speed <- if (k %% 2) 1 + 0.4 * group else rep(1, n)
  end <- ifelse(runif(n) < 0.25 / speed, "open", sample(ends, n, replace = TRUE))
  data.frame(data = k, duration_days = floor(rexp(n, speed / days)), end = end, group = letters[group])
}
sets <- do.call(rbind, lapply(1:6, gray_set))
write_plain(sets, "gray_rows.csv")
tests <- do.call(rbind, lapply(split(sets, sets$data), function(x) {
  found <- cuminc(x$duration_days, factor(x$end), x$group, cencode = "open")$Tests
  data.frame(data = x$data[1], cause = rownames(found), statistic = sprintf("%.17g", found[, "stat"]),
             df = found[, "df"], p_value = sprintf("%.17g", found[, "pv"]))
}))
write_plain(tests, "gray_tests.csv")
