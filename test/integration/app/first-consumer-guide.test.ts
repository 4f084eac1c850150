import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { pathToFileURL } from 'node:url'

import type {
  ConsumerDefinition,
  MillraceConfig,
  Topic,
} from '../../../packages/millrace/src/app/index.ts'
import { driveConsumer, startTestApp } from '../../../packages/millrace/src/testing/index.ts'
import { until } from '../../harness/until.ts'

const here = import.meta.dirname
const source = join(here, '../../../packages/millrace/src/index.ts')

interface Guide {
  readonly default: MillraceConfig
  readonly users: Topic
  readonly welcomeMail: ConsumerDefinition
  readonly welcomed: string[]
}

it('the first consumer of the guide does what the guide says', async () => {
  const text = await readFile(join(here, '../../../docs/guides/first-consumer.md'), 'utf8')
  const code = /```ts\n(.*?)```/s.exec(text)?.[1] ?? ''
  // Beside this file, so that its packages are found.
  const folder = await mkdtemp(join(here, '.guide-'))
  try {
    const path = join(folder, 'millrace.config.ts')
    await writeFile(path, code.replace("from 'millrace'", `from '${pathToFileURL(source).href}'`))
    const guide = (await import(pathToFileURL(path).href)) as Guide

    await using drive = driveConsumer(guide.welcomeMail)
    await drive.deliver(
      { value: { id: '1', email: 'ada@example.com' } },
      { value: { id: '2', email: 'nobody' } },
    )
    assert.deepEqual(guide.welcomed, ['ada@example.com'])
    assert.deepEqual(drive.marked, [0, 1])
    assert.match(
      drive.deadLetters[0]?.headers['millrace-error-message'] ?? '',
      /gave users\/0@1 up: that is no address/,
    )

    await using app = await startTestApp(guide.default)
    await app.send(guide.users, { key: '3', value: { id: '3', email: 'eve@example.com' } })
    await until('the mail went', () => guide.welcomed.includes('eve@example.com'))
    await app.settled()
    const [described] = await app.client.admin.describeTopics(['users'])
    assert.equal(described?.partitions.length, 4)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
