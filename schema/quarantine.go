package schema

// QuarantineTable is the table of records that could not be understood.
const QuarantineTable = "quarantine"

// MaxQuarantineContent is how many bytes of a record are kept.
const MaxQuarantineContent = 64 << 10

// Quarantined is a record that could not be understood, kept with the reason.
type Quarantined struct {
	UID       UID
	Source    string
	File      string
	LogFormat string
	// Line and Column count from 1; 0 where they are not known.
	Line   uint64
	Column uint32
	// Offset and Length locate the record in its (decompressed) file, in bytes.
	Offset uint64
	Length uint64
	// Reason is one of a few fixed phrases, so that it can be counted; Detail
	// says what was found and how to mend it.
	Reason string
	Detail string
	// Content is the record after redaction, cut at 64 KiB.
	Content string
}
