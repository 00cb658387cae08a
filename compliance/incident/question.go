package incident

// Question is what the law asks and no log can answer.
type Question struct {
	// Article says where it is asked.
	Article string `json:"article"`
	Ask     string `json:"ask"`
	// Answer is for people to fill in.
	Answer string `json:"answer"`
}

// questions are those of Article 33 GDPR in their order.
func questions() []Question {
	return []Question{
		{"33(1)", "When did the controller become aware of the breach, and who decided that it is one?", ""},
		{"33(1)", "Is a risk to the rights and freedoms of people unlikely, so that no authority has to be told? Why?", ""},
		{"33(1)", "If the authority is told later than 72 hours after that: why?", ""},
		{"33(2)", "If a processor noticed it first: when was the controller told?", ""},
		{"33(3)(a)", "Which categories of people does it concern (customers, prospects, staff, patients), and about how many?", ""},
		{"33(3)(a)", "Which categories of personal data were in the records, and were special ones (Article 9) among them?", ""},
		{"33(3)(b)", "Name and contact details of the data protection officer, or of another contact.", ""},
		{"33(3)(c)", "What are the likely consequences for the people concerned?", ""},
		{"33(3)(d)", "Which measures were taken outside of crmwatch (access revoked, tokens rotated, vendor told), and which are planned?", ""},
		{"33(4)", "What could not be provided at once, and when will it follow?", ""},
		{"34(1)", "Is the risk to people high, so that they have to be told themselves? When and how was that done?", ""},
	}
}
