package simulate

import "time"

// Example is the demo: two weeks of Acme Outdoor, with a token theft and a
// password spray hidden among 25 people and 6 integrations.
func Example() Options {
	return Options{
		Seed:         20250804,
		Start:        time.Date(2025, 8, 4, 0, 0, 0, 0, time.UTC),
		Days:         14,
		Users:        25,
		Integrations: 6,
		Incidents:    []string{"token-theft", "password-spray"},
		Products:     []string{Salesforce, Kong, Nginx},
		Company:      "Acme Outdoor",
	}
}
