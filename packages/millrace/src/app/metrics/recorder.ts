import { makeCell, Distribution, type Cell } from './cells.ts'
import {
  labelFields,
  type Label,
  type MetricRow,
  type MetricSource,
  type PartitionReading,
  type ProcessReading,
} from './define-metric.ts'

/** What a worker or a producer tells when it is asked. */
export interface Readings {
  partitions(): Iterable<PartitionReading>
  process(): ProcessReading
  /** The name of a consumer that events know by its title. */
  nameOf?(title: string): string | undefined
}

/** One metric's values by label values, which stand in the order of the row's labels. */
export interface Family {
  readonly row: MetricRow
  readonly cells: ReadonlyMap<string, { readonly values: readonly string[]; readonly cell: Cell }>
}

type Payload = Readonly<Record<string, unknown>>

/** Beyond it new label values fall under `other`: a runaway label must not take the memory of the process. */
const mostCells = 10_000
const separator = '\u0000'

/**
 * Counts events into cells, one per metric and set of label values. One listener an event; metrics with the same
 * labels share one look-up, and a run of events about the same partition needs none.
 */
export class Recorder {
  readonly #rows: readonly MetricRow[]
  readonly #clientId: string
  readonly #families = new Map<MetricRow, Map<string, { values: readonly string[]; cell: Cell }>>()
  readonly #readings = new Set<Readings>()
  readonly #ends: (() => void)[] = []
  #keepsSamples = false

  /** @param clientId - for events that know none */
  constructor(rows: readonly MetricRow[], clientId: string) {
    this.#rows = rows
    this.#clientId = clientId
    for (const row of rows) this.#families.set(row, new Map())
    this.#listen()
  }

  /** Ends the subscriptions; what was counted stays. */
  stop(): void {
    for (const end of this.#ends.splice(0)) end()
  }

  addReadings(readings: Readings): () => void {
    this.#readings.add(readings)
    return () => void this.#readings.delete(readings)
  }

  /** From now on single values are kept for `takeSamples`, which somebody must call. */
  keepSamples(): void {
    if (this.#keepsSamples) return
    this.#keepsSamples = true
    for (const cells of this.#families.values())
      for (const { cell } of cells.values()) if (cell instanceof Distribution) cell.keepSamples()
  }

  /** Everything as it stands now, gauges that are read included. */
  families(): readonly Family[] {
    return this.#rows.map((row) => ({
      row,
      cells:
        row.partition || row.process ? this.#read(row) : (this.#families.get(row) ?? new Map()),
    }))
  }

  #listen(): void {
    const byEvent = new Map<MetricSource['event'], { row: MetricRow; source: MetricSource }[]>()
    for (const row of this.#rows)
      for (const source of row.sources) {
        const known = byEvent.get(source.event)
        if (known === undefined) byEvent.set(source.event, [{ row, source }])
        else known.push({ row, source })
      }
    for (const [event, members] of byEvent) {
      const groups = [...Map.groupBy(members, ({ row }) => row.labels.join()).values()].map(
        (same) => this.#group(same),
      )
      this.#ends.push(
        event.subscribe((payload) => {
          for (let at = 0; at < groups.length; at++) groups[at]?.(payload as Payload)
        }),
      )
    }
  }

  /** Metrics of one event with the same labels. */
  #group(
    members: readonly { readonly row: MetricRow; readonly source: MetricSource }[],
  ): (payload: Payload) => void {
    const labels = members[0]?.row.labels ?? []
    const fields = labels.map((label) => labelFields[label])
    const measures = members.map(({ source }) => source.measure)
    const known = new Map<string, readonly Cell[]>()
    const last: unknown[] = fields.map(() => separator)
    let cells: readonly Cell[] = []

    const find = (payload: Payload): void => {
      for (let at = 0; at < fields.length; at++) last[at] = payload[fields[at] as string]
      const key = last.join(separator)
      const found = known.get(key)
      if (found !== undefined) {
        cells = found
        return
      }
      const values = labels.map((label, at) => this.#valueOf(label, last[at], payload))
      cells = members.map(({ row }) => this.#cell(row, values))
      if (known.size < mostCells) known.set(key, cells)
    }
    return (payload) => {
      for (let at = 0; at < fields.length; at++) {
        if (payload[fields[at] as string] === last[at]) continue
        find(payload)
        break
      }
      for (let at = 0; at < measures.length; at++) {
        const value = measures[at]?.(payload)
        if (value !== undefined) cells[at]?.add(value)
      }
    }
  }

  #valueOf(label: Label, value: unknown, payload: Payload): string {
    if (label === 'client' && value === undefined) return this.#clientId
    if (label === 'consumer' && payload['groupId'] !== undefined) {
      for (const readings of this.#readings) {
        const name = readings.nameOf?.(String(value))
        if (name !== undefined) return name
      }
    }
    return String(value)
  }

  #cell(row: MetricRow, values: readonly string[]): Cell {
    const cells = this.#families.get(row) as Map<string, { values: readonly string[]; cell: Cell }>
    const key = values.join(separator)
    const known = cells.get(key)
    if (known !== undefined) return known.cell
    if (cells.size >= mostCells) {
      const others = row.labels.map(() => 'other')
      const shared = cells.get(others.join(separator))
      if (shared !== undefined) return shared.cell
      return this.#add(cells, row, others)
    }
    return this.#add(cells, row, values)
  }

  #add(
    cells: Map<string, { values: readonly string[]; cell: Cell }>,
    row: MetricRow,
    values: readonly string[],
  ): Cell {
    const cell = makeCell(row, this.#keepsSamples)
    cells.set(values.join(separator), { values, cell })
    return cell
  }

  #read(row: MetricRow): Family['cells'] {
    const cells = new Map<string, { values: readonly string[]; cell: Cell }>()
    const put = (values: readonly string[], value: number): void => {
      this.#add(cells, row, values).add(value)
    }
    for (const readings of this.#readings) {
      if (row.process !== undefined) {
        const reading = readings.process()
        put([reading.clientId], row.process(reading))
      }
      if (row.partition === undefined) continue
      for (const reading of readings.partitions()) {
        const { clientId, groupId, consumer, topic, partition } = reading
        const value = row.partition(reading)
        if (value !== undefined) put([clientId, groupId, consumer, topic, String(partition)], value)
      }
    }
    return cells
  }
}
