/** One process's metrics in Prometheus' text format. */
export interface Exposed {
  /** Value of the label `worker`. */
  readonly worker: string
  readonly text: string
}

interface Family {
  readonly head: string[]
  readonly samples: string[]
}

/**
 * The metrics of several processes as those of one, told apart by the label `worker`. A family stands together and has
 * its head once, as the format wants it.
 */
export function mergeExposed(all: readonly Exposed[]): string {
  const families = new Map<string, Family>()
  for (const { worker, text } of all) {
    let family: Family | undefined
    let isKnown = false
    for (const line of text.split('\n')) {
      if (line === '') continue
      const head = /^# (HELP|TYPE) (\S+)/.exec(line)
      if (head !== null) {
        const [, kind, name = ''] = head
        if (kind === 'HELP') {
          isKnown = families.has(name)
          family = families.get(name) ?? { head: [], samples: [] }
          families.set(name, family)
        }
        if (!isKnown) family?.head.push(line)
      } else family?.samples.push(labelled(line, worker))
    }
  }
  return [...families.values()]
    .map(({ head, samples }) => `${[...head, ...samples].join('\n')}\n`)
    .join('\n')
}

function labelled(sample: string, worker: string): string {
  const label = `worker="${worker.replaceAll(/["\\\n]/g, '_')}"`
  const [, name = '', rest = ''] = /^([\w:]+)(.*)$/.exec(sample) ?? []
  return rest.startsWith('{') ? `${name}{${label},${rest.slice(1)}` : `${name}{${label}}${rest}`
}
