/**
 * @file Tree-sitter grammar for `.datasource` files.
 * @license Apache-2.0
 */

module.exports = require('../define.js')('datasource');
