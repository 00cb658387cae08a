package route

import (
	"fmt"
	"slices"
	"strings"
)

// Tactic is a tactic of MITRE ATT&CK for Enterprise.
type Tactic struct{ ID, Name string }

// tactics are those of MITRE ATT&CK for Enterprise (v17), in its order.
var tactics = []Tactic{
	{"TA0043", "reconnaissance"}, {"TA0042", "resource-development"}, {"TA0001", "initial-access"}, {"TA0002", "execution"},
	{"TA0003", "persistence"}, {"TA0004", "privilege-escalation"}, {"TA0005", "defense-evasion"}, {"TA0006", "credential-access"},
	{"TA0007", "discovery"}, {"TA0008", "lateral-movement"}, {"TA0009", "collection"}, {"TA0011", "command-and-control"},
	{"TA0010", "exfiltration"}, {"TA0040", "impact"},
}

// tacticsOfTechnique are the tactics of the techniques that rules name, and of their
// neighbours (MITRE ATT&CK for Enterprise, v17). A sub-technique has its parent's.
var tacticsOfTechnique = map[string][]string{
	"T1018": {"discovery"}, "T1021": {"lateral-movement"}, "T1027": {"defense-evasion"}, "T1030": {"exfiltration"},
	"T1036": {"defense-evasion"}, "T1040": {"credential-access", "discovery"}, "T1041": {"exfiltration"}, "T1048": {"exfiltration"},
	"T1059": {"execution"}, "T1068": {"privilege-escalation"}, "T1069": {"discovery"}, "T1070": {"defense-evasion"},
	"T1071": {"command-and-control"}, "T1074": {"collection"},
	"T1078": {"defense-evasion", "persistence", "privilege-escalation", "initial-access"}, "T1087": {"discovery"},
	"T1090": {"command-and-control"}, "T1098": {"persistence", "privilege-escalation"}, "T1106": {"execution"}, "T1110": {"credential-access"},
	"T1111": {"credential-access"}, "T1114": {"collection"}, "T1119": {"collection"}, "T1133": {"persistence", "initial-access"},
	"T1134": {"defense-evasion", "privilege-escalation"}, "T1136": {"persistence"}, "T1185": {"collection"}, "T1187": {"credential-access"},
	"T1189": {"initial-access"}, "T1190": {"initial-access"}, "T1195": {"initial-access"}, "T1199": {"initial-access"},
	"T1204": {"execution"}, "T1212": {"credential-access"}, "T1213": {"collection"}, "T1482": {"discovery"},
	"T1484": {"defense-evasion", "privilege-escalation"}, "T1485": {"impact"}, "T1486": {"impact"}, "T1489": {"impact"},
	"T1490": {"impact"}, "T1491": {"impact"}, "T1496": {"impact"}, "T1498": {"impact"}, "T1499": {"impact"},
	"T1526": {"discovery"}, "T1528": {"credential-access"}, "T1530": {"collection"}, "T1531": {"impact"}, "T1534": {"lateral-movement"},
	"T1537": {"exfiltration"}, "T1538": {"discovery"}, "T1539": {"credential-access"},
	"T1548": {"privilege-escalation", "defense-evasion"}, "T1550": {"defense-evasion", "lateral-movement"}, "T1552": {"credential-access"},
	"T1555": {"credential-access"}, "T1556": {"credential-access", "defense-evasion", "persistence"}, "T1557": {"credential-access", "collection"},
	"T1558": {"credential-access"}, "T1560": {"collection"}, "T1562": {"defense-evasion"}, "T1565": {"impact"}, "T1566": {"initial-access"},
	"T1567": {"exfiltration"}, "T1580": {"discovery"}, "T1585": {"resource-development"}, "T1586": {"resource-development"},
	"T1589": {"reconnaissance"}, "T1590": {"reconnaissance"}, "T1591": {"reconnaissance"}, "T1595": {"reconnaissance"},
	"T1606": {"credential-access"}, "T1619": {"discovery"}, "T1621": {"credential-access"}, "T1648": {"execution"}, "T1649": {"credential-access"},
	"T1651": {"execution"}, "T1657": {"impact"}, "T1667": {"impact"}, "T1671": {"persistence"},
}

// findTactic finds a tactic by its name, also with blanks, or by its id.
func findTactic(text string) (Tactic, bool) {
	name := strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r == ' ' || r == '-' || r == '_' }), "-")
	for _, t := range tactics {
		if name == t.Name || name == strings.ToLower(t.ID) {
			return t, true
		}
	}
	return Tactic{}, false
}

func tacticNames() []string {
	names := make([]string, len(tactics))
	for i, t := range tactics {
		names[i] = t.Name
	}
	return names
}

// TacticsOf lists the tactics of techniques, each once, in the order of ATT&CK. A
// technique that is not known has none.
func TacticsOf(techniques []string) []Tactic {
	var names []string
	for _, id := range techniques {
		parent, _, _ := strings.Cut(strings.ToUpper(id), ".")
		names = append(names, tacticsOfTechnique[parent]...)
	}
	var found []Tactic
	for _, t := range tactics {
		if slices.Contains(names, t.Name) {
			found = append(found, t)
		}
	}
	return found
}

// tacticsOf lists names and ids of the tactics of techniques, for patterns.
func tacticsOf(techniques []string) []string {
	var all []string
	for _, t := range TacticsOf(techniques) {
		all = append(all, t.Name, t.ID, strings.ReplaceAll(t.Name, "-", " "), strings.ReplaceAll(t.Name, "-", "_"))
	}
	return all
}

// withParents adds the techniques whose sub-techniques are listed.
func withParents(ids []string) []string {
	all := slices.Clone(ids)
	for _, id := range ids {
		if parent, _, is := strings.Cut(id, "."); is {
			all = append(all, parent)
		}
	}
	return all
}

// TechniqueOf is some technique of a tactic, for those who try out routes.
func TechniqueOf(tactic string) (string, error) {
	t, known := findTactic(tactic)
	if !known {
		return "", fmt.Errorf("the tactic %q is not known: use one of %s", tactic, strings.Join(tacticNames(), ", "))
	}
	best := ""
	for id, names := range tacticsOfTechnique {
		// One that stands for few other tactics.
		if slices.Contains(names, t.Name) && (best == "" || len(names) < len(tacticsOfTechnique[best]) || len(names) == len(tacticsOfTechnique[best]) && id < best) {
			best = id
		}
	}
	return best, nil
}
