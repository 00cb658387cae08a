package alerting

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// technique is an entry of MITRE ATT&CK for Enterprise (v17): what the technique
// is called, and the word that stands for it in a title.
type technique struct{ name, phrase string }

var techniques = map[string]technique{
	"T1030":     {"Data Transfer Size Limits", "large transfers"},
	"T1036":     {"Masquerading", "new client"},
	"T1070":     {"Indicator Removal", "traces deleted"},
	"T1078":     {"Valid Accounts", "unusual login"},
	"T1078.004": {"Valid Accounts: Cloud Accounts", "unusual login"},
	"T1087":     {"Account Discovery", "reconnaissance"},
	"T1087.004": {"Account Discovery: Cloud Account", "reconnaissance"},
	"T1098":     {"Account Manipulation", "privilege change"},
	"T1098.001": {"Account Manipulation: Additional Cloud Credentials", "new credential"},
	"T1110":     {"Brute Force", "password guessing"},
	"T1110.001": {"Brute Force: Password Guessing", "password guessing"},
	"T1110.003": {"Brute Force: Password Spraying", "password spray"},
	"T1110.004": {"Brute Force: Credential Stuffing", "credential stuffing"},
	"T1119":     {"Automated Collection", "traffic spike"},
	"T1134":     {"Access Token Manipulation", "impersonation"},
	"T1199":     {"Trusted Relationship", "unlisted integration"},
	"T1213":     {"Data from Information Repositories", "unusual reading"},
	"T1213.004": {"Data from Information Repositories: Customer Relationship Management Software", "unusual reading"},
	"T1485":     {"Data Destruction", "mass deletion"},
	"T1526":     {"Cloud Service Discovery", "reconnaissance"},
	"T1528":     {"Steal Application Access Token", "stolen token"},
	"T1530":     {"Data from Cloud Storage", "unusual reading"},
	"T1550":     {"Use Alternate Authentication Material", "replayed credential"},
	"T1550.001": {"Use Alternate Authentication Material: Application Access Token", "token misuse"},
	"T1552":     {"Unsecured Credentials", "weak authentication"},
	"T1552.001": {"Unsecured Credentials: Credentials In Files", "search for secrets"},
	"T1562":     {"Impair Defenses", "audit disabled"},
	"T1562.001": {"Impair Defenses: Disable or Modify Tools", "monitor weakened"},
	"T1562.008": {"Impair Defenses: Disable or Modify Cloud Logs", "missing logs"},
	"T1565":     {"Data Manipulation", "mass change"},
	"T1567":     {"Exfiltration Over Web Service", "bulk export"},
}

// lookUp finds a technique; an unlisted sub-technique has its parent's entry.
func lookUp(id string) (technique, bool) {
	if t, ok := techniques[id]; ok {
		return t, true
	}
	parent, _, _ := strings.Cut(id, ".")
	t, ok := techniques[parent]
	return t, ok
}

// maxTechniques is how many techniques of an alert are named.
const maxTechniques = 10

// nameTechniques lists techniques by id and name, where it is known.
func nameTechniques(ids []string) string {
	return joinIDs(ids, func(id string) string {
		if t, ok := lookUp(id); ok {
			return id + " " + t.name
		}
		return id
	})
}

// techniqueIDs lists techniques by id.
func techniqueIDs(ids []string) string {
	return joinIDs(ids, func(id string) string { return id })
}

func joinIDs(ids []string, name func(id string) string) string {
	names := make([]string, 0, maxTechniques+1)
	for i, id := range ids {
		if i == maxTechniques {
			names = append(names, fmt.Sprintf("… %d more", len(ids)-i))
			break
		}
		names = append(names, shown(name(id), maxName))
	}
	return strings.Join(names, ", ")
}

// hasTechnique says whether any finding shows one of the techniques or a
// sub-technique of one.
func hasTechnique(findings []schema.Finding, ids ...string) bool {
	for _, f := range findings {
		for _, have := range f.Attack {
			if slices.ContainsFunc(ids, func(id string) bool { return have == id || strings.HasPrefix(have, id+".") }) {
				return true
			}
		}
	}
	return false
}
