-- The installer's words in Japanese. Stored in code page 932: no character that Shift_JIS lacks.
UPDATE `Property` SET `Value` = 'このPCのログオンとログオフを記録し、勤怠サーバーへ送信します。' WHERE `Property` = 'ARPCOMMENTS';
UPDATE `ServiceInstall` SET `Description` = 'PCのログオンとログオフを記録し、勤怠サーバーへ送信します。' WHERE `ServiceInstall` = 'Service';
UPDATE `LaunchCondition` SET `Description` = '新しいバージョンのMngnTimeがインストールされています。古いバージョンに戻すには、先に新しいバージョンをアンインストールしてください。未送信の記録は残ります。' WHERE `Condition` = 'NOT NEWER_FOUND OR Installed';
