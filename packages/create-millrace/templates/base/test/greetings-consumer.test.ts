import assert from 'node:assert/strict'
import { it } from 'node:test'

import { driveConsumer } from 'millrace/testing'

import { greeter } from '../millrace.config.ts'

it('greets, and moves on', async () => {
  await using drive = driveConsumer(greeter)
  await drive.deliver({ value: { name: 'Ada' } }, { value: { name: 'Grace' } })
  assert.deepEqual(drive.marked, [0, 1])
})

it('takes what cannot be read out of the way, unchanged', async () => {
  await using drive = driveConsumer(greeter)
  await drive.deliver({ raw: { value: Buffer.from('not JSON') } })
  assert.equal(drive.deadLetters.length, 1)
  assert.equal(drive.deadLetters[0]?.value?.toString(), 'not JSON')
})
