require('headwater.ftplugin').apply()
