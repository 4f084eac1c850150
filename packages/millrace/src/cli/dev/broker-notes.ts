import { events } from '../../telemetry/index.ts'

/** What the embedded broker has to tell its user: repairs after a crash, settings that look wrong, background work that failed. */
export function followBroker(note: (line: string) => void): Disposable {
  const ends = [
    events.brokerRepaired.subscribe(({ topic, partition, bytes, offset, cause }) =>
      note(`repaired ${topic}/${partition}: cut ${bytes} bytes at offset ${offset} (${cause})`),
    ),
    events.brokerWarning.subscribe(({ message, hint }) => note(`${message}; ${hint}`)),
    events.brokerTaskFailed.subscribe(({ task, error }) =>
      note(
        `the broker could not ${task}: ${error instanceof Error ? error.message : String(error)}`,
      ),
    ),
  ]
  return {
    [Symbol.dispose]() {
      for (const end of ends) end()
    },
  }
}
