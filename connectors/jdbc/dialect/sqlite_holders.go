package dialect

import "context"

// Holders are none: one transaction writes at a time, from before it takes an
// id until its end. Who took a lower id than one that is seen has ended.
func (d *sqLite) Holders(ctx context.Context, c *Conn, id TableID, column string) (Holders, error) {
	t, found, err := d.Table(ctx, c, id)
	if err != nil {
		return Holders{}, err
	}
	if found {
		if c, ok := t.Column(column); ok && c.AutoIncrement {
			return Holders{}, nil
		}
	}
	return not("its ids are not those of an AUTOINCREMENT column"), nil
}
