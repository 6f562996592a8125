# Makes the csv of time to signing: Cox on start-stop rows, its test of proportional hazards, two AFT models.
# Run from this folder: Rscript make_signing_time.R
suppressMessages(library(survival))
set.seed(20240711, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")

write_plain <- function(x, file) write.csv(x, file, row.names = FALSE, quote = FALSE, eol = "\n")
exactly <- function(x) sprintf("%.17g", as.numeric(x))

# (a) 250 deals in start-stop rows of 28 days: whole days (many ties), late entry, two states as strata, covariates
# that change from row to row, one of them (lag) with an effect that fades with age.
deal <- do.call(rbind, lapply(1:250, function(i) {
  rep_load <- round(rnorm(1, 20, 6)); product <- sample(c(0, 1), 1); lag <- 0; state <- 1; rows <- NULL
  start <- sample(0:60, 1)
  repeat {
    lag <- max(min(lag + sample(-1:1, 1), 4), -4)
    if (runif(1) < 0.3) state <- 3 - state
    rate <- 0.004 * state * exp(0.03 * (rep_load - 20) + 0.7 * product - (0.9 - 0.006 * min(start, 300)) * lag)
    won <- ceiling(rexp(1, rate)); other <- ceiling(rexp(1, 0.004)); go <- min(won, other, 28)
    rows <- rbind(rows, data.frame(deal_id = i, start = start, stop = start + go,
                                   event = as.integer(won == go & won <= other), state = paste0("S", state),
                                   rep_load = rep_load + sample(-2:2, 1), product = product, lag = lag))
    start <- start + go
    if (go < 28 || won == go || other == go || start > 500) return(rows)
  }
}))
write_plain(deal, "signing_start_stop.csv")

# Rank of a signing's day among all signings. (transform = "rank" would rank the ends of all rows.)
days <- deal$stop[deal$event == 1]
among_signings <- function(time) ifelse(time %in% days, rank(days)[match(time, days)], 0)

cox <- function(formula, model) {
  fit <- coxph(formula, data = deal, ties = "efron", control = coxph.control(eps = 1e-11, iter.max = 100))
  zph <- cox.zph(fit, transform = among_signings, terms = FALSE, global = FALSE)$table
  data.frame(model = model, covariate = names(coef(fit)), coef = exactly(coef(fit)),
             se = exactly(sqrt(diag(vcov(fit)))), log_likelihood = exactly(fit$loglik[2]),
             ph_chisq = exactly(zph[, "chisq"]), ph_p = exactly(zph[, "p"]))
}
write_plain(rbind(cox(Surv(start, stop, event) ~ rep_load + product + lag, "one_state"),
                  cox(Surv(start, stop, event) ~ rep_load + product + lag + strata(state), "by_state")),
            "signing_cox.csv")

# (b) 300 deals from creation on, one row each, whole days and half a day for day 0, censored by other ends.
n <- 300
x <- data.frame(deal_id = 1:n, amount = round(rnorm(n, 20, 1.5), 3), product = sample(c(0, 1), n, replace = TRUE))
won <- exp(4.5 + 0.15 * (x$amount - 20) - 0.5 * x$product + 0.8 * log(rexp(n)))
other <- rexp(n, 1 / 150)
x$duration_days <- pmax(floor(pmin(won, other)), 0.5)
x$event <- as.integer(won <= other)
write_plain(x, "signing_aft_rows.csv")

aft <- function(dist) {
  fit <- survreg(Surv(duration_days, event) ~ amount + product, data = x, dist = dist,
                 control = survreg.control(rel.tolerance = 1e-13, maxiter = 200))
  data.frame(model = dist, covariate = c(names(coef(fit)), "log(scale)"),
             coef = exactly(c(coef(fit), log(fit$scale))), se = exactly(sqrt(diag(vcov(fit)))),
             log_likelihood = exactly(fit$loglik[2]))
}
write_plain(rbind(aft("weibull"), aft("lognormal")), "signing_aft.csv")
