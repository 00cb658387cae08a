package simulate

// Ids of the rules that incidents should be found by.
const (
	ruleBruteForce     = "brute-force"
	ruleSpray          = "password-spray"
	ruleSeveralPlaces  = "credential-several-places"
	ruleNewNetwork     = "integration-new-network"
	ruleTrafficSpike   = "traffic-spike"
	ruleJobDeleted     = "bulk-job-deleted"
	ruleReconThenBulk  = "recon-then-bulk"
	ruleSecretsQueried = "secret-hunting-query"
	ruleNewClient      = "new-client-for-integration"
	rulePurpose        = "use-outside-purpose"
	ruleRowsSpike      = "rows-spike"
	ruleRowsDay        = "rows-spike-day"
	ruleErrors         = "error-rate-shift"
	ruleGuessed        = "success-after-failures-new-network"
	ruleAttackerClient = "known-attacker-clients"
)

// IncidentKind is something that can be made to happen.
type IncidentKind struct {
	Name string
	// Summary is one sentence for people.
	Summary string
	// Rules are the ids of the rules that should report it.
	Rules []string
	// products of which at least one is needed.
	products []string
	plan     func(*incident) error
}

// Incidents lists what can be asked for.
func Incidents() []IncidentKind {
	return []IncidentKind{
		{"token-theft", "a stolen refresh token: days of quiet probing, a bulk export from a new network, the job deleted",
			[]string{ruleReconThenBulk, ruleNewNetwork, ruleJobDeleted}, []string{Salesforce}, planTheft},
		{"password-spray", "one network tries a few passwords on many users, in vain",
			[]string{ruleSpray}, []string{Salesforce}, planSpray},
		{"password-spray-success", "the same, and one password fits",
			[]string{ruleSpray}, []string{Salesforce}, planSpray},
		{"brute-force", "forty wrong passwords for one user, then the right one",
			[]string{ruleBruteForce}, []string{Salesforce}, planBruteForce},
		{"credential-sharing", "an API key, or a session, is used by its owner and by somebody elsewhere at once",
			[]string{ruleSeveralPlaces}, []string{Salesforce, Kong}, planSharing},
		{"traffic-spike", "an integration makes many times its usual calls for an hour, from its own network",
			[]string{ruleTrafficSpike}, []string{Salesforce}, planSpike},
		{"secret-hunting", "an integration's session searches cases for keys and passwords",
			[]string{ruleSecretsQueried}, []string{Salesforce}, planHunt},
		{"mfa-fatigue", "a second factor is asked for until the person gives it",
			[]string{"mfa-fatigue"}, []string{Dynamics, Salesforce}, planFatigue},
		{"credential-stuffing", "leaked passwords of many people, from many rented machines; one fits",
			[]string{"credential-stuffing"}, []string{Salesforce}, planStuffing},
		{"guessed-password", "a few passwords for one person over a day, from new networks, until one fits",
			[]string{ruleGuessed}, []string{Salesforce}, planGuess},
		{"frozen-identity", "the login of somebody who has left is tried",
			[]string{"frozen-or-locked-identity"}, []string{Salesforce, Dynamics}, planFrozen},
		{"impossible-travel", "a person signs in at the office, and forty minutes later from another continent",
			[]string{"several-countries"}, []string{Dynamics}, planTravel},
		{"session-hijack", "a script uses a person's session from elsewhere while the person works on",
			[]string{ruleSeveralPlaces}, []string{Dynamics}, planHijack},
		{"refused-then-accepted", "old tokens or keys are refused until one is accepted, from a new network",
			[]string{"refused-then-accepted", ruleNewNetwork}, []string{Salesforce, Kong}, planRefused},
		{"token-replay", "a code or refresh token that was used is used again, from elsewhere",
			[]string{"token-replay"}, []string{Dynamics, Salesforce}, planReplay},
		{"new-client", "a script runs with an integration's token, on the integration's own machine",
			[]string{ruleNewClient}, []string{Salesforce}, planNewClient},
		{"new-network", "an integration's token is used from elsewhere, with the usual client",
			[]string{ruleNewNetwork}, []string{Salesforce}, planNewNetwork},
		{"use-after-logout", "a person logs out, and the session goes on elsewhere",
			[]string{"use-after-revoke"}, []string{Salesforce}, planAfterLogout},
		{"legacy-auth", "an integration's password in the simplest flow that takes one",
			[]string{"legacy-authentication", ruleNewNetwork}, []string{Salesforce}, planLegacy},
		{"service-account-interactive", "somebody logs in as a service account, with a browser",
			[]string{"service-account-interactive"}, []string{Salesforce}, planInteractive},
		{"recon-then-bulk", "days of looking around from an integration's own network, then its first bulk export",
			[]string{ruleReconThenBulk, ruleRowsSpike, ruleRowsDay}, []string{Salesforce}, planRecon},
		{"bulk-job-deleted", "a service account that uploads exports once, and the job is gone a moment later",
			[]string{ruleJobDeleted}, []string{Salesforce}, planJobDeleted},
		{"report-export-burst", "somebody exports one report after the other in an evening",
			[]string{"export-burst"}, []string{Salesforce}, planExportBurst},
		{"creeping-export", "an integration reads a little more in every hour of a day",
			[]string{ruleRowsDay, ruleRowsSpike}, []string{Salesforce}, planCreeping},
		{"wide-select", "an integration asks for all fields of the object that it always reads",
			[]string{"wide-rows", ruleRowsSpike}, []string{Salesforce}, planWide},
		{"payload-spike", "a caller of the gateway takes a hundred megabytes an hour",
			[]string{"payload-spike", ruleTrafficSpike}, []string{Kong}, planPayload},
		{"mass-delete", "a service account, or a person, deletes records by the thousand",
			[]string{"mass-change"}, []string{Salesforce, Dynamics}, planMassDelete},
		{"ownership-change", "a person gives a thousand accounts to somebody else",
			[]string{"mass-change"}, []string{Dynamics}, planOwnership},
		{"privilege-grant", "somebody who is no admin grants all rights over the data",
			[]string{"privilege-change"}, []string{Salesforce}, planGrant},
		{"audit-disabled", "an admin's account switches off what records its deeds",
			[]string{"privilege-change"}, []string{Salesforce}, planAuditOff},
		{"new-connected-app", "an app is made that may come from everywhere",
			[]string{"new-connected-app-or-key"}, []string{Salesforce}, planNewApp},
		{"impersonation", "an admin logs in as a colleague and exports under that name",
			[]string{"impersonation", "export-burst"}, []string{Salesforce}, planImpersonation},
		{"error-storm", "most of an integration's queries are refused for two hours",
			[]string{ruleErrors}, []string{Salesforce}, planErrorStorm},
		{"outage", "a service behind the gateway does not answer for three quarters of an hour",
			[]string{"availability-burn-rate", ruleErrors}, []string{Kong}, planOutage},
		{"latency", "a service behind the gateway takes seconds to answer, for hours",
			[]string{"latency-degradation"}, []string{Kong}, planSlow},
		{"source-silent", "a type of log stops to be written for a day and a half",
			[]string{"source-silent"}, []string{Salesforce}, planSilent},
		{"integration-stopped", "a program that always calls hangs for most of a day",
			[]string{"traffic-drop"}, []string{Salesforce}, planStopped},
		{"limit-exhaustion", "an integration in a loop runs against the organisation's limit",
			[]string{"limit-exhaustion", ruleErrors}, []string{Salesforce}, planLimit},
		{"workflow-failures", "a flow of the middleware fails for most of a day",
			[]string{"workflow-failures", ruleErrors}, []string{MuleSoft}, planWorkflow},
		{"middleware-bypass", "calls in an integration's name that did not come through the middleware",
			[]string{"crm-call-without-middleware-call"}, []string{MuleSoft}, planBypass},
		{"shadow-integration", "a service account that is on no inventory begins to call",
			[]string{"shadow-integration"}, []string{Salesforce}, planShadow},
	}
}

// IncidentNames lists the names that Options.Incidents takes.
func IncidentNames() []string {
	var names []string
	for _, k := range Incidents() {
		names = append(names, k.Name)
	}
	return names
}

func incidentKind(name string) (IncidentKind, bool) {
	for _, k := range Incidents() {
		if k.Name == name {
			return k, true
		}
	}
	return IncidentKind{}, false
}
