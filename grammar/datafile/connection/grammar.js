/**
 * @file Tree-sitter grammar for `.connection` files.
 * @license Apache-2.0
 */

module.exports = require('../define.js')('connection');
