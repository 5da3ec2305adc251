// A list that follows a map: an element for each key, made once, kept in order, and shown anew when its value is another.

export class Rows {
  #parent;
  #make;
  #rows = new Map();

  /**
   * @param parent  where the elements are
   * @param make    gives for a key `{ element, show(value) }`
   */
  constructor(parent, make) {
    this.#parent = parent;
    this.#make = make;
  }

  /** Show these, in this order: `[key, value]` of each. Elements that stay keep the focus and are not made again. */
  show(entries) {
    const wanted = new Map(entries);
    for (const [key, row] of this.#rows) if (!wanted.has(key)) this.#drop(key, row);
    let before = this.#parent.firstElementChild;
    for (const [key, value] of wanted) {
      const row = this.#rows.get(key) ?? this.#add(key);
      if (row.value !== value) row.show((row.value = value));
      if (row.element === before) before = before.nextElementSibling;
      else this.#parent.insertBefore(row.element, before);
    }
  }

  #add(key) {
    const row = this.#make(key);
    this.#rows.set(key, row);
    return row;
  }

  #drop(key, row) {
    row.element.remove();
    this.#rows.delete(key);
  }
}
