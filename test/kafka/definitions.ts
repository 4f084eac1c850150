import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** One of Kafka's message definitions, as its kafka-clients jar carries them; `versions` is `0+`, `2-5`, `3` or `none`. */
export interface KafkaMessage {
  readonly apiKey?: number
  readonly type: string
  readonly name: string
  readonly validVersions: string
  readonly flexibleVersions: string
  readonly fields: readonly KafkaField[]
  readonly commonStructs?: readonly KafkaStruct[]
}

export interface KafkaStruct {
  readonly name: string
  readonly versions: string
  readonly fields: readonly KafkaField[]
}

export interface KafkaField {
  readonly name: string
  readonly type: string
  readonly versions: string
  readonly nullableVersions?: string
  readonly taggedVersions?: string
  readonly tag?: number
  readonly default?: string | number | boolean
  readonly fields?: readonly KafkaField[]
}

/** Every message of the jar by its name, as `FetchRequest`. Needs the `jar` command of a Java development kit. */
export async function readDefinitions(jarFolder: string): Promise<Map<string, KafkaMessage>> {
  const file = (await readdir(jarFolder)).find((name) => /^kafka-clients-[\d.]+\.jar$/.test(name))
  if (file === undefined) throw new Error(`there is no kafka-clients jar in ${jarFolder}`)
  const folder = await mkdtemp(join(tmpdir(), 'millrace-definitions-'))
  try {
    await run('jar', ['-xf', join(jarFolder, file), 'common/message'], { cwd: folder })
    const messages = join(folder, 'common/message')
    const names = (await readdir(messages)).filter((name) => name.endsWith('.json'))
    const all = await Promise.all(names.map((name) => readFile(join(messages, name), 'utf8')))
    return new Map(
      all.map((text) => {
        const message = JSON.parse(text.replaceAll(/^\s*\/\/.*$/gm, '')) as KafkaMessage
        return [message.name, message]
      }),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Whether a version lies in `0+`, `2-5`, `3`; nothing lies in `none` or in what is not written. */
export function isIn(versions: string | undefined, version: number): boolean {
  if (versions === undefined || versions === 'none') return false
  const [least = '', greatest] = versions.split(/[-+]/)
  const isOpen = versions.endsWith('+')
  const last = isOpen ? Infinity : Number(greatest ?? least)
  return version >= Number(least) && version <= last
}
