package sink

import "testing"

func TestAFullBatchIsFewStatementsOfOneSize(t *testing.T) {
	for _, c := range []struct{ batch, most, rows, statements int }{
		{3000, 512, 500, 6},
		{3000, 128, 125, 24},
		{3000, 5000, 3000, 1},
		{500, 512, 500, 1},
		{1, 512, 1, 1},
		{1000, 999, 500, 2},
		{3000, 1, 1, 3000},
	} {
		rows, statements := evenly(c.batch, c.most), 0
		for left := c.batch; left > 0; statements++ {
			left -= statementRows(left, rows)
		}
		if rows != c.rows || statements != c.statements {
			t.Errorf("a batch of %d, %d a statement at most: %d statements of %d rows, want %d of %d", c.batch, c.most, statements, rows, c.statements, c.rows)
		}
	}
}
