package detectors

import "slices"

// closest finds among words those that differ least from a misspelt one, at most
// three, and none that differ by more than a third of its length.
func closest(word string, words []string) []string {
	least, near := max(1, len(word)/3), []string(nil)
	for _, candidate := range words {
		switch d := edits(word, candidate); {
		case d < least:
			least, near = d, []string{candidate}
		case d == least:
			near = append(near, candidate)
		}
	}
	slices.Sort(near)
	near = slices.Compact(near)
	return near[:min(len(near), 3)]
}

// edits counts the letters to insert, delete or replace to get from a to b.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// Closest finds among words those that a misspelt one was meant to be, at most three.
func Closest(word string, words []string) []string { return closest(word, words) }
