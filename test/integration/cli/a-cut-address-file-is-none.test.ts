import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'

import {
  findRunningDev,
  removeAddressFile,
  writeAddressFile,
} from '../../../packages/millrace/src/cli/dev/address-file.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { chooseBrokers } from '../../../packages/millrace/src/cli/cluster.ts'

describe('the address file of millrace dev', () => {
  it('counts as none when a crash cut it short', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-address-'))
    try {
      await mkdir(join(folder, '.millrace'))
      for (const text of ['', '{"pid":12', 'null', '{"pid":"x"}']) {
        await writeFile(join(folder, '.millrace', 'dev.json'), text)
        const chosen = await chooseBrokers({
          brokers: undefined,
          config: undefined,
          env: {},
          folder,
        })
        assert.equal(chosen.origin, 'default', text)
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('is believed only while its broker answers: a pid may be used again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-address-'))
    try {
      const broker = await startTestBroker()
      await writeAddressFile(folder, broker.address)
      assert.equal(await findRunningDev(folder), broker.address)
      await broker.stop()
      // As after a crash: this process, which lives, has the pid of the one that wrote it.
      assert.equal(await findRunningDev(folder), undefined)
      const other = { pid: process.pid + 1, broker: 'localhost:1' }
      await writeFile(join(folder, '.millrace', 'dev.json'), JSON.stringify(other))
      await removeAddressFile(folder)
      assert.equal(
        JSON.parse(await readFile(join(folder, '.millrace', 'dev.json'), 'utf8')).pid,
        other.pid,
        'another one’s stays',
      )
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
