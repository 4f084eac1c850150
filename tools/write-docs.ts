/** Writes the generated pages of `docs/reference/`. A test fails when one of them is stale. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { errorReference } from './error-reference.ts'

const reference = join(import.meta.dirname, '../docs/reference')
await writeFile(join(reference, 'errors.md'), errorReference())
