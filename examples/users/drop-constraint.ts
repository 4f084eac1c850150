/** What an administrator does in the walk: `node drop-constraint.ts`. */
import { allUsers, closeDatabase, dropConstraint } from './app/database.ts'

dropConstraint()
console.log(allUsers())
closeDatabase()
